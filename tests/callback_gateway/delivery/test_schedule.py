from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given, strategies as st

from callback_gateway.delivery.schedule import (
    JITTER,
    LONGEST_ASKED_S,
    longest_wait_s,
    retry_after_s,
    wait_s,
)

SCHEDULE = [1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0]
NOW = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT."""

schedules = st.lists(st.floats(0.001, 86_400.0), max_size=10)
chances = st.floats(0.0, 1.0, exclude_max=True)


@given(schedules, st.integers(0, 12), chances)
def test_a_wait_is_never_shorter_than_planned_and_at_most_the_jitter_longer(
    schedule: list[float], failures: int, chance: float
) -> None:
    wait = wait_s(schedule, failures, chance=chance)
    if failures >= len(schedule):
        assert wait is None
    else:
        assert wait is not None
        planned = schedule[failures]
        assert planned <= wait <= planned * (1 + JITTER)
        assert wait <= longest_wait_s(schedule, failures)


@given(schedules, st.integers(0, 12), chances, st.floats(0.0, 1e12))
def test_what_a_target_asks_for_is_kept_to_within_a_day(
    schedule: list[float], failures: int, chance: float, asked: float
) -> None:
    wait = wait_s(schedule, failures, chance=chance, asked_s=asked)
    planned = wait_s(schedule, failures, chance=chance)
    if planned is None:
        assert wait is None
    else:
        assert wait is not None
        assert max(planned, min(asked, LONGEST_ASKED_S)) <= wait
        assert wait <= max(planned, LONGEST_ASKED_S)


def test_no_wait_follows_the_last_attempt() -> None:
    assert wait_s(SCHEDULE, len(SCHEDULE), chance=0.0, asked_s=5.0) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="seconds with blanks"),
        pytest.param("0", 0.0, id="no wait at all"),
        pytest.param("9" * 60, LONGEST_ASKED_S, id="more seconds than a day has"),
        pytest.param("Sun, 06 Nov 1994 08:50:37 GMT", 60.0, id="a date"),
        pytest.param("Sunday, 06-Nov-94 08:50:37 GMT", 60.0, id="a date as RFC 850 wrote it"),
        pytest.param("Sun Nov  6 08:50:37 1994", 60.0, id="a date as C writes it"),
        pytest.param("Sun, 06 Nov 1994 08:00:00 GMT", 0.0, id="a date that is over"),
        pytest.param("Wed, 06 Nov 2094 08:49:37 GMT", LONGEST_ASKED_S, id="a date far away"),
        pytest.param("Sun, 31 Feb 1994 08:49:37 GMT", None, id="a date that never was"),
        pytest.param("-5", None, id="less than nothing"),
        pytest.param("1.5", None, id="a fraction"),
        pytest.param("\u0661\u0662", None, id="digits of another script"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="nothing"),
        pytest.param("1" * 65, None, id="too long to be read"),
        pytest.param(None, None, id="no header"),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    value: str | None, expected: float | None
) -> None:
    assert retry_after_s(value, NOW) == expected


@given(st.text(max_size=80), st.floats(0.0, 4e9))
def test_no_header_makes_retry_after_raise_or_leave_its_bounds(value: str, now: float) -> None:
    wait = retry_after_s(value, now)
    assert wait is None or (isfinite(wait) and 0.0 <= wait <= LONGEST_ASKED_S)
