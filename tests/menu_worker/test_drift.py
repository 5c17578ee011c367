"""Who changed the live menu is told apart; it is changed back at once, then ever more rarely."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from menu_worker.drift import (
    CONTESTED_AFTER,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    REMEMBERED_S,
    Behaviour,
    Correction,
    Source,
    correction,
    source_of,
)
from menu_worker.menu import NO_MENU, Button, Live, Menu
from menu_worker.store.base import DRIFTS_KEPT, Drift

NOW = 1_760_000_000.0
BUTTONS = (Button("买入", "click", (("key", "BUY_IN"),)),)
MENU = Menu(BUTTONS)
IN_A_DAY_AT_MOST = 12
"""The k-th of a day comes 60 s · 2^(k-2), or 6 h, after the one before it."""


def at(*seconds_ago: float) -> list[Drift]:
    return [Drift(NOW - each, "f") for each in seconds_ago]


@pytest.mark.parametrize(
    ("live", "own", "source"),
    [
        pytest.param(Live(NO_MENU, console=BUTTONS), set(), Source.CONSOLE, id="in the console"),
        pytest.param(Live(NO_MENU), {NO_MENU.fingerprint}, Source.DELETED, id="nothing is there"),
        pytest.param(Live(MENU), {MENU.fingerprint}, Source.OURS, id="a menu of our history"),
        pytest.param(Live(MENU), {"another"}, Source.OTHER_TOOL, id="a menu never seen"),
    ],
)
def test_a_drifted_menu_tells_where_it_comes_from(
    live: Live, own: set[str], source: Source
) -> None:
    assert source_of(live, own) is source


def test_a_console_made_menu_is_known_even_when_it_is_switched_off() -> None:
    live = Live(NO_MENU, console=BUTTONS)
    assert source_of(replace(live, is_open=False), set()) is Source.CONSOLE


def test_the_first_drift_is_corrected_at_once() -> None:
    told = correction([], NOW, Behaviour.CORRECT)
    assert told == Correction(allowed=True, wait_s=0.0, contested=False)


@pytest.mark.parametrize(
    ("ago", "wait_s"),
    [
        pytest.param((10,), 50, id="a minute after the first"),
        pytest.param((60,), 0, id="and not a moment later"),
        pytest.param((100, 10), 110, id="two minutes after the second"),
        pytest.param((400, 300, 10), 230, id="four after the third"),
        pytest.param(tuple(range(20, 0, -1)), LONGEST_PAUSE_S - 1, id="six hours are the longest"),
    ],
)
def test_each_further_one_waits_twice_as_long(ago: tuple[float, ...], wait_s: float) -> None:
    told = correction(at(*ago), NOW, Behaviour.CORRECT)
    assert (told.allowed, told.wait_s) == (wait_s == 0, wait_s)


def test_after_a_day_of_peace_it_is_corrected_at_once_again() -> None:
    past = at(*range(int(REMEMBERED_S) + 20, int(REMEMBERED_S), -1))
    assert correction(past, NOW, Behaviour.CORRECT).allowed
    assert not correction(past, NOW, Behaviour.CORRECT).contested


@pytest.mark.parametrize(("corrections", "contested"), [(2, False), (3, True), (9, True)])
def test_who_keeps_changing_it_back_raises_an_alarm(corrections: int, contested: bool) -> None:
    assert CONTESTED_AFTER == 3
    past = at(*range(corrections, 0, -1))
    for behaviour in Behaviour:
        assert correction(past, NOW, behaviour).contested is contested


@pytest.mark.parametrize("ago", [(), (10,), (100_000,)])
def test_what_is_only_reported_is_never_corrected(ago: tuple[float, ...]) -> None:
    told = correction(at(*ago), NOW, Behaviour.REPORT)
    assert (told.allowed, told.wait_s) == (False, 0.0)


@given(st.lists(st.floats(0.0, 20_000.0), max_size=300))
def test_whenever_it_is_asked_the_corrections_of_a_day_stay_few(pauses: list[float]) -> None:
    past: list[Drift] = []
    now = NOW
    for pause_s in pauses:
        now += pause_s
        if correction(past[-DRIFTS_KEPT:], now, Behaviour.CORRECT).allowed:
            past.append(Drift(now, "f"))
    assert busiest_day(past) <= IN_A_DAY_AT_MOST


def test_whoever_corrects_as_soon_as_it_is_allowed_stays_below_that_too() -> None:
    past: list[Drift] = []
    now = NOW
    while now < NOW + 10 * REMEMBERED_S:
        told = correction(past[-DRIFTS_KEPT:], now, Behaviour.CORRECT)
        if told.allowed:
            past.append(Drift(now, "f"))
        now += max(told.wait_s, 0.5)
    assert busiest_day(past) == IN_A_DAY_AT_MOST


@given(st.lists(st.floats(0.0, 2 * REMEMBERED_S), max_size=60))
def test_after_the_wait_that_is_told_it_is_allowed(ago: list[float]) -> None:
    past = at(*sorted(ago, reverse=True))
    told = correction(past, NOW, Behaviour.CORRECT)
    assert 0 <= told.wait_s <= LONGEST_PAUSE_S
    assert FIRST_PAUSE_S < LONGEST_PAUSE_S
    # A float of this size is exact to a microsecond.
    assert correction(past, NOW + told.wait_s + 1e-6, Behaviour.CORRECT).allowed


def busiest_day(past: list[Drift]) -> int:
    """The most corrections within 24 hours."""
    return max((sum(0 <= b.at - a.at < REMEMBERED_S for b in past) for a in past), default=0)
