"""Claiming and storing what arrives. Stamps and the limit have files of their own."""

from __future__ import annotations

from dataclasses import replace

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import (
    NOWHERE,
    REPLY_LEASE_S,
    Accepted,
    Arrival,
    DeadLetter,
    Delivery,
    Kind,
    Mark,
    ReplyState,
    Verdict,
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
    letters,
    nothing_due,
    notify,
    question,
    retry,
    unread,
)
from tests.token_service.stores.manual_clock import ManualClock


async def test_an_event_is_new_once(inbox: Inbox) -> None:
    verdicts = [(await accept(inbox, notify())).verdict for _ in range(3)]
    assert verdicts == [Verdict.NEW, Verdict.DUPLICATE, Verdict.DUPLICATE]


async def test_tries_are_counted(inbox: Inbox) -> None:
    assert [(await accept(inbox, notify())).tries for _ in range(3)] == [1, 2, 3]


async def test_nothing_at_all_is_accepted_as_nothing(inbox: Inbox) -> None:
    assert await inbox.accept([], owner=US) == []


async def test_an_event_without_deliveries_is_remembered(inbox: Inbox) -> None:
    plain = Arrival("msg_1", SHOP, document("msg_1"))
    assert await accept(inbox, plain) == Accepted(Verdict.NEW)
    assert await accept(inbox, plain) == Accepted(Verdict.DUPLICATE, tries=2)
    assert (await inbox.depth()).events == 0


async def test_the_attempt_of_a_new_question_is_leased_to_who_brought_it(
    inbox: Inbox, clock: ManualClock
) -> None:
    answer = await accept(inbox, question(within_s=14.5))
    assert answer.lease is not None
    assert answer == Accepted(Verdict.NEW, 1, ReplyState.RUNNING, None, answer.lease)
    assert answer.lease == Delivery(
        event_id="msg_1",
        account=SHOP,
        target=TRADING,
        kind=Kind.REPLY,
        document=document("msg_1"),
        lease=answer.lease.lease,
        accepted_at=clock.now(),
        reply_until=clock.now() + 14.5,
        now=clock.now(),
    )
    assert await nothing_due(inbox)


async def test_the_window_counts_from_the_first_try(inbox: Inbox, clock: ManualClock) -> None:
    first = await begun(inbox)
    clock.advance(5)
    again = (await accept(inbox, question())).lease
    assert again is not None
    assert again.reply_until == first.reply_until
    assert again.accepted_at == first.accepted_at


async def test_every_target_gets_a_copy(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    for target in (AUDIT, CRM):
        delivery = await leased(inbox, target)
        assert (delivery.kind, delivery.document) == (Kind.NOTIFY, document("msg_1"))
        assert delivery.reply_until is None


async def test_the_target_that_answers_may_get_a_copy_too(inbox: Inbox) -> None:
    both = replace(question(), notify=(TRADING,))
    asked = (await accept(inbox, both)).lease
    copy = await leased(inbox, TRADING)
    assert asked is not None
    assert (asked.kind, copy.kind) == (Kind.REPLY, Kind.NOTIFY)
    await done(inbox, copy)
    assert (await inbox.join(SHOP, "msg_1", owner=US)).reply_state is ReplyState.RUNNING
    await done(inbox, asked, b"{}")
    assert (await inbox.join(SHOP, "msg_1", owner=US)).reply_state is ReplyState.ANSWERED


async def test_marks_travel_with_the_deliveries(inbox: Inbox) -> None:
    spooled = frozenset({Mark.SPOOLED})
    answer = await accept(inbox, replace(question(), notify=(AUDIT,), marks=spooled))
    assert answer.lease is not None
    assert answer.lease.marks == spooled
    assert (await leased(inbox, AUDIT)).marks == spooled


async def test_a_duplicate_stores_nothing(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT))
    changed = replace(notify("msg_1", CRM), document=b"{}", replier=TRADING)
    assert await accept(inbox, changed) == Accepted(Verdict.DUPLICATE, tries=2)
    assert await nothing_due(inbox, CRM, TRADING)
    assert (await leased(inbox, AUDIT)).document == document("msg_1")


async def test_a_duplicate_gets_the_stored_answer(inbox: Inbox) -> None:
    await done(inbox, await begun(inbox), b'{"type": "text"}')
    assert await accept(inbox, question()) == Accepted(
        Verdict.DUPLICATE, 2, ReplyState.ANSWERED, b'{"type": "text"}'
    )


async def test_a_duplicate_leaves_the_attempt_in_flight_alone(inbox: Inbox) -> None:
    await begun(inbox)
    assert await accept(inbox, question(), THEM) == Accepted(
        Verdict.DUPLICATE, 2, ReplyState.RUNNING
    )


async def test_a_duplicate_takes_a_lapsed_attempt_over(inbox: Inbox, clock: ManualClock) -> None:
    first = await begun(inbox)
    clock.advance(REPLY_LEASE_S)
    lease = (await accept(inbox, question(), THEM)).lease
    assert lease is not None
    assert (lease.cut_off, lease.failures) == (1, 0)
    assert lease.lease != first.lease


async def test_a_duplicate_leaves_a_retry_its_time(inbox: Inbox, clock: ManualClock) -> None:
    await retry(inbox, await begun(inbox), after_s=1.0)
    assert await accept(inbox, question()) == Accepted(Verdict.DUPLICATE, 2, ReplyState.RUNNING)
    clock.advance(1.0)
    lease = (await accept(inbox, question())).lease
    assert lease is not None
    assert (lease.cut_off, lease.failures) == (0, 1)


async def test_arrivals_of_one_batch_see_each_other(inbox: Inbox) -> None:
    answers = await inbox.accept([question(), notify("msg_2"), question()], owner=US)
    assert [answer.verdict for answer in answers] == [
        Verdict.NEW,
        Verdict.NEW,
        Verdict.DUPLICATE,
    ]
    assert [answer.lease is not None for answer in answers] == [True, False, False]


async def test_what_cannot_be_read_becomes_a_dead_letter(inbox: Inbox, clock: ManualClock) -> None:
    assert await accept(inbox, unread()) == Accepted(Verdict.NEW)
    assert await letters(inbox) == (
        DeadLetter(
            id="bad_1.-",
            event_id="bad_1",
            account=SHOP,
            target=NOWHERE,
            kind=Kind.NOTIFY,
            reason="not_xml",
            died_at=clock.now(),
            accepted_at=clock.now(),
            document=document("bad_1"),
        ),
    )


async def test_what_cannot_be_read_is_stored_once(inbox: Inbox) -> None:
    await accept(inbox, unread())
    assert await accept(inbox, unread()) == Accepted(Verdict.DUPLICATE, tries=2)
    assert len(await letters(inbox)) == 1
