from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from callback_gateway.depth_watch import DepthWatch
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import Arrival, Depth, Keeping
from callback_gateway.metrics import GatewayMetrics
from callback_gateway.observers import DeliveryObserver, IntakeObserver, StoreObserver
from callback_gateway.tallies import SERIES_AT_MOST, Counts, TimedTallies
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable


class Stopped(SystemClock):
    """It is always the same second."""

    def now(self) -> float:
        return 1_700_000_000.0


def shown(metrics: GatewayMetrics) -> list[str]:
    return [
        line.removeprefix("callback_gateway_")
        for line in metrics.render().decode().splitlines()
        if line.startswith("callback_gateway_")
    ]


def inbox() -> MemoryInbox:
    return MemoryInbox(SystemClock(), SystemRandomness(), Keeping(limit=7))


def test_what_the_intake_tells_is_counted() -> None:
    metrics = GatewayMetrics(Stopped())
    observer: IntakeObserver = metrics
    observer.answered("shop", "new", 0.0007)
    observer.answered("bank", "new", 4.6)
    observer.forged("shop", "signature")
    observer.retried("shop")
    observer.joined("shop")
    observer.duplicate("shop")
    observer.old_key_used("shop", "token")
    observer.clock_skew("shop", -720.5)

    lines = shown(metrics)
    for line in (
        'callbacks_total{account="shop",outcome="new"} 1.0',
        'callback_answer_duration_seconds_bucket{le="0.001",outcome="new"} 1.0',
        'callback_answer_duration_seconds_bucket{le="4.5",outcome="new"} 1.0',
        'callback_answer_duration_seconds_bucket{le="5",outcome="new"} 2.0',
        'callback_answer_duration_seconds_count{outcome="new"} 2.0',
        'forged_callbacks_total{account="shop",reason="signature"} 1.0',
        'repeated_callbacks_total{account="shop",as="retry"} 1.0',
        'repeated_callbacks_total{account="shop",as="join"} 1.0',
        'repeated_callbacks_total{account="shop",as="duplicate"} 1.0',
        'old_credential_uses_total{account="shop",what="token"} 1.0',
        'old_credential_last_used_timestamp_seconds{account="shop",what="token"} 1.7e+09',
        'clock_skew_seconds{account="shop"} -720.5',
    ):
        assert line in lines, line


def test_what_delivery_and_store_tell_is_counted() -> None:
    metrics = GatewayMetrics(Stopped())
    delivery: DeliveryObserver = metrics
    store: StoreObserver = metrics
    delivery.attempted("trading", "http_503", 0.2)
    delivery.attempted("trading", "delivered", 0.03)
    delivery.dead("trading", "exhausted")
    store.store_away(True)
    store.spooled(3)
    store.drained(2)
    store.lost(5)
    store.promise_broken(True)

    lines = shown(metrics)
    for line in (
        'delivery_attempts_total{outcome="http_503",target="trading"} 1.0',
        'delivery_attempt_duration_seconds_count{target="trading"} 2.0',
        'delivery_attempt_duration_seconds_bucket{le="0.05",target="trading"} 1.0',
        'dead_letters_made_total{reason="exhausted",target="trading"} 1.0',
        "store_away 1.0",
        "spooled_total 3.0",
        "drained_total 2.0",
        "lost_total 5.0",
        "losses_total 1.0",
        "durability_broken 1.0",
    ):
        assert line in lines, line


async def test_the_depth_is_what_was_seen_last() -> None:
    metrics, kept = GatewayMetrics(Stopped()), inbox()
    watch = DepthWatch(kept, SystemClock())
    metrics.show(watch)
    assert not [line for line in shown(metrics) if line.startswith("inbox_events ")]

    await kept.accept([Arrival("evt_1", "shop", b"{}", notify=("trading", "audit"))], owner="a")
    await kept.lease({"audit": 1}, owner="a")
    await watch.look()

    lines = shown(metrics)
    for line in (
        "inbox_events 1.0",
        "inbox_events_limit 7.0",
        'deliveries_waiting{target="trading"} 1.0',
        'deliveries_leased{target="audit"} 1.0',
    ):
        assert line in lines, line


async def test_an_inbox_that_is_away_shows_no_depth_and_ends_no_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = inbox()
    watch = DepthWatch(kept, SystemClock())
    await watch.look()
    assert watch.depth is not None

    async def away() -> Depth:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(kept, "depth", away)
    await watch.look()
    assert watch.depth is None


async def _spool_of_4() -> int:
    return 4


async def _no_spool() -> int:
    raise StoreUnavailable("gone")


@pytest.mark.parametrize(
    ("spool", "lines"), [(_spool_of_4, ["spool_events 4.0"]), (_no_spool, ["spool_events 0.0"])]
)
async def test_the_spool_is_shown_where_there_is_one(
    spool: Callable[[], Awaitable[int]], lines: list[str]
) -> None:
    metrics = GatewayMetrics(Stopped())
    watch = DepthWatch(inbox(), SystemClock(), spool=spool)
    metrics.show(watch)
    await watch.look()

    assert [line for line in shown(metrics) if line.startswith("spool_")] == lines


def test_without_a_spool_there_is_no_such_metric() -> None:
    metrics = GatewayMetrics(Stopped())
    metrics.show(DepthWatch(inbox(), SystemClock()))

    assert not [line for line in shown(metrics) if line.startswith("spool_")]


async def test_the_number_of_series_by_target_is_bounded() -> None:
    metrics, kept = GatewayMetrics(Stopped()), inbox()
    watch = DepthWatch(kept, SystemClock())
    metrics.show(watch)
    many = {f"t{number}": 2 for number in range(1000)}
    watch.depth = Depth(1, 2, many, {}, {}, dict.fromkeys(many, 3.0))

    lines = shown(metrics)
    assert len([line for line in lines if line.startswith("deliveries_waiting{")]) == 201
    assert 'deliveries_waiting{target="other"} 1600.0' in lines
    assert 'oldest_due_seconds{target="other"} 3.0' in lines


def test_the_number_of_counted_series_is_bounded() -> None:
    counts = Counts("c", "text", ("account", "reason"))
    tallies = TimedTallies(
        "t", "text", ("account", "outcome"), duration="d", duration_text="text", by="outcome"
    )
    for number in range(SERIES_AT_MOST + 500):
        counts.add(f"account-{number}", "signature")
        tallies.add(f"account-{number}", "new", 0.01)

    (counted,) = counts.collect()
    (tallied, _) = tallies.collect()
    for family in (counted, tallied):
        assert len(family.samples) == SERIES_AT_MOST + 1
        assert sum(sample.value for sample in family.samples) == SERIES_AT_MOST + 500
    assert counts.by("other") == {"signature": 500}
    assert tallies.by("other") == {"new": 500}
