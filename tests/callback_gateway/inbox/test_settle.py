"""How leases end, and what is left then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import (
    ATTEMPTS_KEPT,
    NOTIFY_LEASE_S,
    REPLY_LEASE_S,
    Attempt,
    Dead,
    DeadLetter,
    Done,
    Joined,
    Kind,
    Release,
    ReplyState,
    Retry,
    Settlement,
)
from tests.callback_gateway.inbox.samples import (
    AUDIT,
    CRM,
    SHOP,
    THEM,
    TRADING,
    US,
    accept,
    attempt,
    begun,
    die,
    document,
    done,
    leased,
    letters,
    nothing_due,
    notify,
    question,
    release,
    retry,
)
from tests.token_service.stores.manual_clock import ManualClock

DAY_S = 86_400.0


async def test_what_is_done_is_never_due_again(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    await done(inbox, await leased(inbox))
    clock.advance(DAY_S)
    assert await nothing_due(inbox)
    assert await inbox.next_due_in([AUDIT]) is None


async def test_an_event_stays_until_its_last_delivery_is_over(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await done(inbox, await leased(inbox, AUDIT))
    assert (await inbox.depth()).events == 1
    delivery = await leased(inbox, CRM)
    assert delivery.document == document("msg_1")
    await done(inbox, delivery)
    assert (await inbox.depth()).events == 0


async def test_done_counts_once(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    delivery = await leased(inbox, AUDIT)
    await done(inbox, delivery)
    await done(inbox, delivery)
    assert (await inbox.depth()).waiting == {CRM: 1}
    assert (await leased(inbox, CRM)).document == document("msg_1")


async def test_a_retry_waits_its_time(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    await retry(inbox, await leased(inbox), after_s=30.0)
    clock.advance(29.9)
    assert await nothing_due(inbox)
    clock.advance(0.1)
    delivery = await leased(inbox)
    assert (delivery.failures, delivery.cut_off) == (1, 0)
    assert delivery.attempts == (attempt(),)


async def test_failures_and_attempts_add_up(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    ended = [Attempt(clock.now() + n / 7, n / 3, f"http_{500 + n}") for n in range(3)]
    for each in ended:
        await inbox.settle([Settlement(await leased(inbox), Retry(0.0), each)])
    delivery = await leased(inbox)
    assert (delivery.failures, delivery.attempts) == (3, tuple(ended))


async def test_the_last_attempts_are_kept(inbox: Inbox) -> None:
    await accept(inbox, notify())
    for n in range(ATTEMPTS_KEPT + 3):
        ended = attempt(at=float(n))
        await inbox.settle([Settlement(await leased(inbox), Retry(0.0), ended)])
    delivery = await leased(inbox)
    assert delivery.failures == ATTEMPTS_KEPT + 3
    assert [each.at for each in delivery.attempts] == [
        float(n) for n in range(3, ATTEMPTS_KEPT + 3)
    ]


async def test_what_was_cut_off_stays_counted_over_a_failure(
    inbox: Inbox, clock: ManualClock
) -> None:
    await accept(inbox, notify())
    await leased(inbox)
    clock.advance(NOTIFY_LEASE_S)
    await retry(inbox, await leased(inbox), after_s=0.0)
    delivery = await leased(inbox)
    assert (delivery.failures, delivery.cut_off) == (1, 1)


async def test_what_is_released_is_due_at_once_and_counted_nowhere(inbox: Inbox) -> None:
    await accept(inbox, notify())
    await release(inbox, await leased(inbox))
    delivery = await leased(inbox)
    assert (delivery.failures, delivery.cut_off, delivery.attempts) == (0, 0, ())


async def test_what_died_is_a_dead_letter_with_its_attempts(
    inbox: Inbox, clock: ManualClock
) -> None:
    await accept(inbox, notify())
    accepted_at = clock.now()
    await retry(inbox, await leased(inbox), after_s=2.0)
    clock.advance(2.0)
    last = attempt(at=clock.now(), outcome="timeout")
    await inbox.settle([Settlement(await leased(inbox), Dead("exhausted"), last)])
    assert await letters(inbox) == (
        DeadLetter(
            id="msg_1.audit",
            event_id="msg_1",
            account=SHOP,
            target=AUDIT,
            kind=Kind.NOTIFY,
            reason="exhausted",
            died_at=clock.now(),
            accepted_at=accepted_at,
            document=document("msg_1"),
            attempts=(attempt(), last),
        ),
    )
    assert await nothing_due(inbox)


async def test_what_died_without_an_attempt_has_none(inbox: Inbox) -> None:
    await accept(inbox, notify())
    await inbox.settle([Settlement(await leased(inbox), Dead("target_unknown"))])
    (letter,) = await letters(inbox)
    assert letter.attempts == ()


async def test_a_death_leaves_the_other_targets_alone(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await die(inbox, await leased(inbox, AUDIT))
    assert (await leased(inbox, CRM)).document == document("msg_1")
    assert (await inbox.depth()).events == 2


async def test_the_first_reply_stays(inbox: Inbox, clock: ManualClock) -> None:
    slow = await begun(inbox)
    clock.advance(REPLY_LEASE_S)
    quick = await leased(inbox, TRADING, THEM)
    await done(inbox, quick, b"quick")
    await done(inbox, slow, b"slow")
    assert await inbox.join(SHOP, "msg_1", owner=US) == Joined(ReplyState.ANSWERED, b"quick")


async def test_done_counts_under_a_void_lease(inbox: Inbox, clock: ManualClock) -> None:
    slow = await begun(inbox)
    clock.advance(REPLY_LEASE_S)
    taken = await leased(inbox, TRADING, THEM)
    await done(inbox, slow, b"late but first")
    assert (await inbox.join(SHOP, "msg_1", owner=US)).reply == b"late but first"
    assert await inbox.renew([taken]) == [taken]


async def test_a_reply_after_the_death_comes_too_late(inbox: Inbox, clock: ManualClock) -> None:
    slow = await begun(inbox)
    clock.advance(REPLY_LEASE_S)
    await die(inbox, await leased(inbox, TRADING, THEM))
    await done(inbox, slow, b"late")
    assert await inbox.join(SHOP, "msg_1", owner=US) == Joined(ReplyState.GIVEN_UP)
    assert len(await letters(inbox)) == 1


@pytest.mark.parametrize("result", [Retry(600.0), Dead("exhausted"), Release()])
async def test_a_failure_under_a_void_lease_has_no_effect(
    inbox: Inbox, clock: ManualClock, result: Retry | Dead | Release
) -> None:
    await accept(inbox, notify())
    old = await leased(inbox)
    clock.advance(NOTIFY_LEASE_S)
    new = await leased(inbox, owner=THEM)
    await inbox.settle([Settlement(old, result, attempt())])
    assert await inbox.renew([new]) == []
    assert await letters(inbox) == ()
    clock.advance(NOTIFY_LEASE_S)
    again = await leased(inbox)
    assert (again.failures, again.attempts, again.cut_off) == (0, (), 2)


@pytest.mark.parametrize("result", [Retry(0.0), Dead("exhausted"), Release()])
async def test_a_failure_after_the_end_has_no_effect(
    inbox: Inbox, result: Retry | Dead | Release
) -> None:
    await accept(inbox, notify())
    delivery = await leased(inbox)
    await done(inbox, delivery)
    await inbox.settle([Settlement(delivery, result, attempt())])
    assert await nothing_due(inbox)
    assert await letters(inbox) == ()


async def test_a_lapsed_lease_that_nobody_took_still_settles(
    inbox: Inbox, clock: ManualClock
) -> None:
    await accept(inbox, notify())
    delivery = await leased(inbox)
    clock.advance(NOTIFY_LEASE_S + 1)
    await retry(inbox, delivery, after_s=0.0)
    again = await leased(inbox)
    assert (again.failures, again.cut_off) == (1, 0)


async def test_settlements_of_one_batch_take_effect_in_order(inbox: Inbox) -> None:
    await inbox.accept([notify("msg_1", AUDIT, CRM), notify("msg_2", AUDIT)], owner=US)
    first, second = await inbox.lease({AUDIT: 2}, owner=US)
    copy = await leased(inbox, CRM)
    await inbox.settle(
        [
            Settlement(first, Retry(60.0), attempt()),
            Settlement(first, Dead("exhausted"), attempt()),
            Settlement(copy, Done(), attempt()),
            Settlement(second, Release()),
        ]
    )
    assert await letters(inbox) == ()
    assert (await leased(inbox)).event_id == "msg_2"
    assert await nothing_due(inbox)


async def test_settling_nothing_changes_nothing(inbox: Inbox) -> None:
    await inbox.settle([])
    assert (await inbox.depth()).events == 0


async def test_a_done_notify_brings_no_reply(inbox: Inbox) -> None:
    await accept(inbox, replace(question(), notify=(AUDIT,)))
    await done(inbox, await leased(inbox, AUDIT), b"not asked")
    assert await inbox.join(SHOP, "msg_1", owner=US) == Joined(ReplyState.RUNNING)
