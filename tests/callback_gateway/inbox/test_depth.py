"""Counting what stands, waking for what is due, and targets that asked for no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import NOTIFY_LEASE_S, REPLY_LEASE_S, Depth, Keeping
from tests.callback_gateway.inbox.conftest import Open
from tests.callback_gateway.inbox.samples import (
    ALL,
    AUDIT,
    CRM,
    TRADING,
    US,
    accept,
    begun,
    bury,
    die,
    done,
    leased,
    nothing_due,
    notify,
    question,
    retry,
    unread,
)
from tests.token_service.stores.manual_clock import ManualClock


async def test_an_empty_inbox_holds_nothing(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=7))
    assert await inbox.depth() == Depth(0, 7, {}, {}, {}, {})


async def test_what_stands_is_counted_by_target(open_inbox: Open, clock: ManualClock) -> None:
    inbox = await open_inbox(Keeping(limit=70))
    await inbox.accept([notify(f"msg_{n}", AUDIT, CRM) for n in range(4)], owner=US)
    await accept(inbox, question("msg_9"))
    await accept(inbox, unread())
    await retry(inbox, await leased(inbox, CRM), after_s=600.0)
    await die(inbox, await leased(inbox, CRM))
    await done(inbox, await leased(inbox, CRM))
    await leased(inbox, AUDIT)
    clock.advance(1.5)
    assert await inbox.depth() == Depth(
        events=7,
        limit=70,
        waiting={AUDIT: 3, CRM: 2},
        leased={AUDIT: 1, TRADING: 1},
        dead={CRM: 1, "-": 1},
        oldest_due_s={AUDIT: 1.5, CRM: 1.5},
    )


async def test_a_lapsed_lease_is_waiting(inbox: Inbox, clock: ManualClock) -> None:
    await begun(inbox)
    clock.advance(REPLY_LEASE_S + 1)
    depth = await inbox.depth()
    assert (depth.waiting, depth.leased) == ({TRADING: 1}, {})
    assert depth.oldest_due_s == {TRADING: 1.0}


async def test_targets_with_nothing_due_have_no_age(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await retry(inbox, await leased(inbox, AUDIT), after_s=5.0)
    await leased(inbox, CRM)
    assert (await inbox.depth()).oldest_due_s == {}


async def test_redriving_and_dropping_are_counted(inbox: Inbox) -> None:
    for n in range(4):
        await bury(inbox, f"msg_{n}")
    await inbox.redrive(ALL, limit=1)
    await inbox.drop(ALL, limit=1)
    depth = await inbox.depth()
    assert (depth.events, depth.waiting, depth.dead) == (3, {AUDIT: 1}, {AUDIT: 2})


# -- next_due_in -------------------------------------------------------------------------------


async def test_an_inbox_with_nothing_for_these_targets_wakes_nobody(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT))
    assert await inbox.next_due_in([CRM]) is None
    assert await inbox.next_due_in([]) is None


async def test_what_is_due_is_due_now(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    clock.advance(60)
    assert await inbox.next_due_in([CRM, AUDIT]) == 0.0


async def test_the_first_of_all_retries_and_leases_wakes(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await retry(inbox, await leased(inbox, AUDIT), after_s=30.0)
    await leased(inbox, CRM)
    assert await inbox.next_due_in([AUDIT]) == 30.0
    assert await inbox.next_due_in([AUDIT, CRM]) == NOTIFY_LEASE_S
    clock.advance(4.0)
    assert await inbox.next_due_in([CRM]) == NOTIFY_LEASE_S - 4.0


# -- hasten ------------------------------------------------------------------------------------


async def test_hastened_retries_are_due_now(inbox: Inbox) -> None:
    await inbox.accept([notify(f"msg_{n}") for n in range(3)], owner=US)
    for each in await inbox.lease({AUDIT: 2}, owner=US):
        await retry(inbox, each, after_s=600.0)
    assert await inbox.hasten(AUDIT) == 2
    due = await inbox.lease({AUDIT: 9}, owner=US)
    assert sorted(each.failures for each in due) == [0, 1, 1]


async def test_hastening_leaves_leases_and_other_targets_alone(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await leased(inbox, AUDIT)
    await retry(inbox, await leased(inbox, CRM), after_s=600.0)
    assert await inbox.hasten(AUDIT) == 0
    assert await nothing_due(inbox)


# -- disabled targets --------------------------------------------------------------------------


async def test_no_target_is_disabled_at_first(inbox: Inbox) -> None:
    assert await inbox.disabled() == {}


async def test_a_disabled_target_is_remembered_with_its_fingerprint(inbox: Inbox) -> None:
    await inbox.disable(AUDIT, "f1")
    await inbox.disable(CRM, "f2")
    await inbox.disable(AUDIT, "f3")
    assert await inbox.disabled() == {AUDIT: "f3", CRM: "f2"}


async def test_an_enabled_target_is_not_disabled_any_more(inbox: Inbox) -> None:
    await inbox.disable(AUDIT, "f1")
    assert await inbox.enable(AUDIT)
    assert not await inbox.enable(AUDIT)
    assert await inbox.disabled() == {}


async def test_a_disabled_target_still_gets_deliveries(inbox: Inbox) -> None:
    await inbox.disable(AUDIT, "f1")
    await accept(inbox, notify())
    assert (await leased(inbox)).target == AUDIT


async def test_closing_may_be_repeated(inbox: Inbox) -> None:
    await inbox.close()
    await inbox.close()


@pytest.mark.parametrize("size", [1, 32])
async def test_a_batch_is_counted_like_single_events(inbox: Inbox, size: int) -> None:
    arrivals = [replace(notify(f"msg_{n}"), notify=(AUDIT, CRM)) for n in range(32)]
    for begin in range(0, 32, size):
        await inbox.accept(arrivals[begin : begin + size], owner=US)
    depth = await inbox.depth()
    assert (depth.events, depth.waiting) == (32, {AUDIT: 32, CRM: 32})
