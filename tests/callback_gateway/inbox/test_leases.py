"""Leases: who may attempt a delivery, in which order, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import (
    NOTIFY_LEASE_S,
    REPLY_LEASE_S,
    Delivery,
    Kind,
)
from tests.callback_gateway.inbox.samples import (
    AUDIT,
    CRM,
    SHOP,
    THEM,
    TRADING,
    US,
    accept,
    begun,
    document,
    done,
    leased,
    nothing_due,
    notify,
    question,
    retry,
)
from tests.token_service.stores.manual_clock import ManualClock


async def test_what_was_accepted_is_due_at_once(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    accepted_at = clock.now()
    clock.advance(3)
    delivery = await leased(inbox)
    assert delivery == Delivery(
        event_id="msg_1",
        account=SHOP,
        target=AUDIT,
        kind=Kind.NOTIFY,
        document=document("msg_1"),
        lease=delivery.lease,
        accepted_at=accepted_at,
        now=clock.now(),
    )


async def test_what_is_leased_is_not_leased_again(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    await leased(inbox)
    clock.advance(NOTIFY_LEASE_S - 0.1)
    assert await nothing_due(inbox)


async def test_a_lapsed_lease_is_given_to_another_and_counted(
    inbox: Inbox, clock: ManualClock
) -> None:
    await accept(inbox, notify())
    first = await leased(inbox, owner=US)
    clock.advance(NOTIFY_LEASE_S)
    second = await leased(inbox, owner=THEM)
    assert second.lease != first.lease
    assert (second.cut_off, second.failures) == (1, 0)
    clock.advance(NOTIFY_LEASE_S)
    assert (await leased(inbox)).cut_off == 2


async def test_a_lapsed_reply_attempt_is_leased_for_the_time_of_replies(
    inbox: Inbox, clock: ManualClock
) -> None:
    first = await begun(inbox)
    clock.advance(REPLY_LEASE_S)
    second = await leased(inbox, TRADING)
    assert (second.kind, second.cut_off) == (Kind.REPLY, 1)
    assert second.reply_until == first.reply_until
    assert await nothing_due(inbox, TRADING)
    clock.advance(REPLY_LEASE_S)
    assert (await leased(inbox, TRADING)).cut_off == 2


async def test_each_target_gets_at_most_what_it_wants(inbox: Inbox) -> None:
    await inbox.accept([notify(f"msg_{n}", AUDIT, CRM) for n in range(5)], owner=US)
    got = await inbox.lease({AUDIT: 2, CRM: 3}, owner=US)
    assert sorted(each.target for each in got) == [AUDIT] * 2 + [CRM] * 3


@pytest.mark.parametrize("wanted", [{}, {AUDIT: 0}, {CRM: 5}])
async def test_nothing_is_leased_that_nobody_wants(inbox: Inbox, wanted: dict[str, int]) -> None:
    await accept(inbox, notify())
    assert await inbox.lease(wanted, owner=US) == []
    assert (await leased(inbox)).cut_off == 0


async def test_the_longest_due_is_leased_first(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify("msg_b"))
    await retry(inbox, await leased(inbox), after_s=5.0)
    for event_id in ("msg_c", "msg_a"):
        clock.advance(1.0)
        await accept(inbox, notify(event_id))
    clock.advance(10.0)
    got = await inbox.lease({AUDIT: 9}, owner=US)
    assert [each.event_id for each in got] == ["msg_c", "msg_a", "msg_b"]


async def test_what_was_accepted_together_is_leased_in_order_of_acceptance(inbox: Inbox) -> None:
    names = [f"msg_{name}" for name in "fbdace"]
    await inbox.accept([notify(name) for name in names], owner=US)
    first = await inbox.lease({AUDIT: 4}, owner=US)
    rest = await inbox.lease({AUDIT: 4}, owner=US)
    assert [each.event_id for each in (*first, *rest)] == names


async def test_a_renewed_lease_lasts(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, replace(question(), notify=(AUDIT,)))
    await accept(inbox, question("msg_2"))
    copy = await leased(inbox)
    asked = await begun(inbox, "msg_3")
    clock.advance(2.0)
    assert await inbox.renew([copy, asked]) == []
    clock.advance(2.0)
    assert [each.event_id for each in await inbox.lease({TRADING: 9}, owner=THEM)] == [
        "msg_1",
        "msg_2",
    ]
    clock.advance(NOTIFY_LEASE_S - 2.1)
    assert await nothing_due(inbox, AUDIT)
    clock.advance(0.1)
    assert (await leased(inbox)).cut_off == 1


async def test_renewing_tells_which_leases_are_void(inbox: Inbox, clock: ManualClock) -> None:
    await inbox.accept([notify(f"msg_{n}") for n in range(3)], owner=US)
    kept, taken, over = await inbox.lease({AUDIT: 3}, owner=US)
    await done(inbox, over)
    clock.advance(NOTIFY_LEASE_S - 1)
    assert await inbox.renew([kept]) == []
    clock.advance(1)
    assert (await leased(inbox, owner=THEM)).event_id == taken.event_id
    assert await inbox.renew([over, kept, taken]) == [over, taken]


async def test_a_lapsed_lease_that_nobody_took_is_renewed(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    delivery = await leased(inbox)
    clock.advance(NOTIFY_LEASE_S + 60)
    assert await inbox.renew([delivery]) == []
    assert await nothing_due(inbox)


async def test_a_void_renewal_takes_nothing_from_the_new_holder(
    inbox: Inbox, clock: ManualClock
) -> None:
    await accept(inbox, notify())
    old = await leased(inbox, owner=US)
    clock.advance(NOTIFY_LEASE_S)
    new = await leased(inbox, owner=THEM)
    clock.advance(NOTIFY_LEASE_S - 1)
    assert await inbox.renew([old]) == [old]
    clock.advance(1)
    assert await inbox.renew([new]) == []
    assert await nothing_due(inbox)
