"""Joining an attempt in flight, and taking it over."""

from __future__ import annotations

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import REPLY_LEASE_S, Joined, ReplyState
from tests.callback_gateway.inbox.samples import (
    SHOP,
    THEM,
    accept,
    begun,
    die,
    done,
    notify,
    release,
    retry,
)
from tests.token_service.stores.manual_clock import ManualClock


async def join(inbox: Inbox, event_id: str = "msg_1") -> Joined:
    return await inbox.join(SHOP, event_id, owner=THEM)


async def test_an_unknown_event_is_given_up(inbox: Inbox) -> None:
    assert await join(inbox) == Joined(ReplyState.GIVEN_UP)


async def test_an_event_that_asks_nobody_has_no_answer(inbox: Inbox) -> None:
    await accept(inbox, notify())
    assert await join(inbox) == Joined(ReplyState.NONE)


async def test_an_attempt_in_flight_is_running(inbox: Inbox) -> None:
    await begun(inbox)
    assert await join(inbox) == Joined(ReplyState.RUNNING)


async def test_the_answer_is_told_to_whoever_joins(inbox: Inbox) -> None:
    await done(inbox, await begun(inbox), b'{"type": "text"}')
    assert await join(inbox) == Joined(ReplyState.ANSWERED, b'{"type": "text"}')


async def test_no_answer_is_an_answer(inbox: Inbox) -> None:
    await done(inbox, await begun(inbox), b"")
    assert await join(inbox) == Joined(ReplyState.ANSWERED, b"")


async def test_a_failed_attempt_is_given_up(inbox: Inbox) -> None:
    await die(inbox, await begun(inbox))
    assert await join(inbox) == Joined(ReplyState.GIVEN_UP)


async def test_a_lapsed_attempt_is_taken_over(inbox: Inbox, clock: ManualClock) -> None:
    first = await begun(inbox)
    clock.advance(REPLY_LEASE_S - 0.1)
    assert (await join(inbox)).lease is None
    clock.advance(0.1)
    joined = await join(inbox)
    assert joined.lease is not None
    assert (joined.reply_state, joined.lease.cut_off) == (ReplyState.RUNNING, 1)
    assert joined.lease.lease != first.lease


async def test_one_of_two_joiners_takes_it_over(inbox: Inbox, clock: ManualClock) -> None:
    await begun(inbox)
    clock.advance(REPLY_LEASE_S)
    leases = [(await join(inbox)).lease for _ in range(2)]
    assert [lease is not None for lease in leases] == [True, False]


async def test_a_released_attempt_is_taken_over_at_once(inbox: Inbox) -> None:
    await release(inbox, await begun(inbox))
    lease = (await join(inbox)).lease
    assert lease is not None
    assert (lease.cut_off, lease.failures) == (0, 0)


async def test_a_waiting_retry_is_taken_over_when_its_time_has_come(
    inbox: Inbox, clock: ManualClock
) -> None:
    await retry(inbox, await begun(inbox), after_s=1.0)
    assert await join(inbox) == Joined(ReplyState.RUNNING)
    clock.advance(1.0)
    assert (await join(inbox)).lease is not None


async def test_joining_counts_no_try(inbox: Inbox) -> None:
    await accept(inbox, notify())
    await join(inbox)
    assert (await accept(inbox, notify())).tries == 2
