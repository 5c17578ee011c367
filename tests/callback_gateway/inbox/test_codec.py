"""What is written comes back as it was, and the shared rules."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import (
    ATTEMPTS_KEPT,
    Arrival,
    Attempt,
    Delivery,
    Kind,
    Mark,
    Release,
    ReplyState,
    Retry,
    Settlement,
)

TIMES = st.floats(min_value=0, max_value=1e11)
ATTEMPTS = st.builds(Attempt, TIMES, TIMES, st.text())
LEASED = Delivery("msg_1", "shop", "audit", Kind.NOTIFY, b"{}", "us/1")


@given(st.lists(ATTEMPTS).map(tuple))
def test_attempts_come_back_exactly(attempts: tuple[Attempt, ...]) -> None:
    assert codec.decode_attempts(codec.encode_attempts(attempts)) == attempts


def test_an_attempt_of_a_later_version_is_read() -> None:
    assert codec.decode_attempts(b'[[1.5, 0.25, "timeout", "more"]]') == (
        Attempt(1.5, 0.25, "timeout"),
    )


@given(st.frozensets(st.sampled_from(Mark)))
def test_marks_come_back(marks: frozenset[Mark]) -> None:
    assert codec.decode_marks(codec.encode_marks(marks)) == marks


@given(st.integers(min_value=0, max_value=10**17))
def test_cursors_come_back(position: int) -> None:
    assert codec.decode_cursor(codec.encode_cursor(position)) == position


def test_the_first_page_needs_no_cursor() -> None:
    assert codec.decode_cursor(None) == 0


def test_a_settled_attempt_joins_those_that_the_lease_knew() -> None:
    known = tuple(Attempt(float(n), 0.1, "timeout") for n in range(ATTEMPTS_KEPT))
    delivery = Delivery("msg_1", "shop", "audit", Kind.NOTIFY, b"{}", "us/1", known)
    last = Attempt(99.0, 0.1, "http_500")
    assert codec.attempts_after(Settlement(delivery, Retry(1.0), last)) == (*known[1:], last)


def test_without_an_attempt_nothing_joins() -> None:
    assert codec.attempts_after(Settlement(LEASED, Release())) == ()


@pytest.mark.parametrize(
    ("arrival", "needs_room", "state"),
    [
        (Arrival("msg_1", "shop", b""), False, ReplyState.NONE),
        (Arrival("msg_1", "shop", b"", notify=("audit",)), True, ReplyState.NONE),
        (Arrival("msg_1", "shop", b"", replier="trading"), True, ReplyState.RUNNING),
        (Arrival("bad_1", "shop", b"", malformed="not_xml"), True, ReplyState.NONE),
    ],
)
def test_an_arrival_says_what_it_needs(
    arrival: Arrival, needs_room: bool, state: ReplyState
) -> None:
    assert codec.needs_room(arrival) is needs_room
    assert codec.first_state(arrival) is state


def test_a_revived_event_has_no_reply_to_give() -> None:
    assert codec.revived_state(Kind.REPLY) is ReplyState.GIVEN_UP
    assert codec.revived_state(Kind.NOTIFY) is ReplyState.NONE
