from __future__ import annotations

from callback_gateway.recent import LOOK_EVERY_S, WINDOW_S, Recent, Traffic
from callback_gateway.tallies import TimedTallies
from tests.runtime.pages_world import HandClock


def tallies() -> TimedTallies:
    return TimedTallies(
        "callbacks",
        "text",
        ("account", "outcome"),
        duration="took",
        duration_text="t",
        by="outcome",
    )


def test_nothing_is_known_before_the_first_look() -> None:
    assert Recent(tallies(), HandClock()).traffic() == Traffic()


def test_what_came_since_the_oldest_look_is_counted_by_the_minute() -> None:
    counted, clock = tallies(), HandClock()
    counted.add("shop", "new", 0.001)
    recent = Recent(counted, clock)
    recent.look()
    for outcome in ("new", "new", "reply"):
        counted.add("shop", outcome, 0.001)
    clock.at += 30

    traffic = recent.traffic()
    assert (traffic.window_s, traffic.a_minute) == (30, {"shop": 6.0})
    assert {outcome: speed.count for outcome, speed in traffic.speeds.items()} == {
        "new": 2,
        "reply": 1,
    }


def test_what_came_more_than_a_minute_ago_is_forgotten() -> None:
    counted, clock = tallies(), HandClock()
    recent = Recent(counted, clock)
    recent.look()
    counted.add("shop", "new", 0.001)
    for _ in range(20):
        clock.at += LOOK_EVERY_S
        recent.look()

    traffic = recent.traffic()
    assert (traffic.window_s, traffic.a_minute, traffic.speeds) == (WINDOW_S, {"shop": 0.0}, {})


def test_how_fast_answers_were_is_an_upper_bound() -> None:
    counted, clock = tallies(), HandClock()
    recent = Recent(counted, clock)
    recent.look()
    for took_s in [0.0007] * 98 + [0.3, 100.0]:
        counted.add("shop", "new", took_s)
    clock.at += 5

    speed = recent.traffic().speeds["new"]
    assert (speed.count, speed.half_within_s, speed.nearly_all_within_s) == (100, 0.001, 0.5)
    counted.add("shop", "new", 100.0)
    assert recent.traffic().speeds["new"].nearly_all_within_s is None
