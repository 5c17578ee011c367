"""A menu that WeChat refused is tried ever more rarely; another one, or a person, isn't held up."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from menu_worker.setbacks import FIRST_PAUSE_S, LONGEST_PAUSE_S, wait_after
from menu_worker.store.base import REVISIONS_KEPT, Outcome, Revision

NOW = 1_760_000_000.0


def revision(
    outcome: Outcome, *, seconds_ago: float = 10, fingerprint: str = "red", detail: str = "40018"
) -> Revision:
    return Revision(
        id=1,
        account="shop",
        at=NOW - seconds_ago,
        actor="run",
        reason="changed",
        before={},
        after={},
        fingerprint=fingerprint,
        outcome=outcome,
        detail=detail,
    )


def refused(times: int, *, seconds_ago: float = 10) -> list[Revision]:
    return [revision(Outcome.ROLLED_BACK, seconds_ago=seconds_ago)] * times


def test_a_menu_that_was_never_written_goes_out_at_once() -> None:
    assert wait_after([], "red", NOW) is None


def test_a_refused_menu_waits_and_says_why_and_for_how_long() -> None:
    told = wait_after(refused(1), "red", NOW)
    assert told is not None
    assert "refused this menu 1 time: 40018" in told
    assert f"{FIRST_PAUSE_S - 10:.0f} s" in told
    assert "change the menu, or apply it by hand" in told


@pytest.mark.parametrize(
    ("times", "pause_s"), [(1, 300), (2, 600), (3, 1200), (9, LONGEST_PAUSE_S)]
)
def test_each_refusal_in_a_row_doubles_the_wait(times: int, pause_s: float) -> None:
    assert wait_after(refused(times, seconds_ago=pause_s - 1), "red", NOW) is not None
    assert wait_after(refused(times, seconds_ago=pause_s), "red", NOW) is None


def test_another_menu_isnt_held_up() -> None:
    assert wait_after(refused(9), "blue", NOW) is None


def test_a_menu_written_in_between_ends_the_row() -> None:
    history = [
        revision(Outcome.ROLLED_BACK, seconds_ago=400),
        revision(Outcome.ROLLED_BACK, seconds_ago=500, fingerprint="blue"),
        *refused(9, seconds_ago=600),
    ]
    assert wait_after(history, "red", NOW) is None


@pytest.mark.parametrize("outcome", [Outcome.STARTED, Outcome.VERIFIED, Outcome.FAILED])
def test_only_what_was_refused_for_good_is_held_up(outcome: Outcome) -> None:
    assert wait_after([revision(outcome), *refused(9)], "red", NOW) is None


@given(st.integers(1, REVISIONS_KEPT), st.floats(0.0, LONGEST_PAUSE_S))
def test_no_menu_is_held_up_for_ever(times: int, seconds_ago: float) -> None:
    history = refused(times, seconds_ago=seconds_ago)
    assert wait_after(history, "red", NOW + LONGEST_PAUSE_S) is None
