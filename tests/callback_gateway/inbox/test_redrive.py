"""Redriving: dead letters become deliveries that begin anew."""

from __future__ import annotations

from dataclasses import replace

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import (
    Accepted,
    Joined,
    Keeping,
    Kind,
    Mark,
    ReplyState,
    Selection,
    Verdict,
)
from tests.callback_gateway.inbox.conftest import Open
from tests.callback_gateway.inbox.samples import (
    ALL,
    AUDIT,
    CRM,
    SHOP,
    TRADING,
    US,
    accept,
    attempt,
    begun,
    bury,
    die,
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

DAY_S = 86_400.0


async def ids(inbox: Inbox, selection: Selection = ALL) -> list[str]:
    return [letter.id for letter in await letters(inbox, selection)]


async def test_a_redriven_letter_is_a_delivery_that_begins_anew(
    inbox: Inbox, clock: ManualClock
) -> None:
    letter = await bury(inbox)
    clock.advance(60)
    assert await inbox.redrive(Selection(ids=(letter.id,))) == 1
    assert await letters(inbox) == ()
    delivery = await leased(inbox)
    assert (delivery.document, delivery.accepted_at) == (letter.document, letter.accepted_at)
    assert (delivery.failures, delivery.cut_off, delivery.attempts) == (0, 0, ())
    assert delivery.marks == {Mark.REDRIVEN}


async def test_a_redriven_question_is_only_told(inbox: Inbox) -> None:
    await die(inbox, await begun(inbox))
    await inbox.redrive(ALL)
    delivery = await leased(inbox, TRADING)
    assert (delivery.kind, delivery.reply_until) == (Kind.NOTIFY, None)
    await done(inbox, delivery, b"too late")
    assert await inbox.join(SHOP, "msg_1", owner=US) == Joined(ReplyState.GIVEN_UP)


async def test_a_redriven_letter_that_fails_again_dies_again(
    inbox: Inbox, clock: ManualClock
) -> None:
    await bury(inbox)
    await inbox.redrive(ALL)
    clock.advance(60)
    await die(inbox, await leased(inbox), "again")
    (letter,) = await letters(inbox)
    assert (letter.reason, letter.died_at, letter.attempts) == ("again", clock.now(), (attempt(),))
    assert letter.document == document("msg_1")


async def test_a_redriven_event_counts_as_undelivered(inbox: Inbox) -> None:
    await bury(inbox)
    await inbox.redrive(ALL)
    depth = await inbox.depth()
    assert (depth.events, depth.waiting, depth.dead) == (1, {AUDIT: 1}, {})
    await done(inbox, await leased(inbox))
    assert (await inbox.depth()).events == 0


async def test_a_redriven_event_joins_its_deliveries_that_stand(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await die(inbox, await leased(inbox, AUDIT))
    await inbox.redrive(ALL)
    assert (await inbox.depth()).events == 1
    await done(inbox, await leased(inbox, CRM))
    assert (await leased(inbox, AUDIT)).document == document("msg_1")


async def test_an_event_is_redriven_after_its_id_was_forgotten(
    inbox: Inbox, clock: ManualClock
) -> None:
    letter = await bury(inbox)
    clock.advance(2 * DAY_S)
    assert await inbox.purge() == 1
    assert await inbox.redrive(ALL) == 1
    assert await accept(inbox, notify()) == Accepted(Verdict.DUPLICATE, tries=2)
    delivery = await leased(inbox)
    assert (delivery.document, delivery.accepted_at) == (letter.document, letter.accepted_at)
    await done(inbox, delivery)
    assert (await inbox.depth()).events == 0
    assert await inbox.purge() == 1
    assert (await accept(inbox, notify())).verdict is Verdict.NEW


async def test_a_forgotten_question_that_is_redriven_has_no_answer(
    inbox: Inbox, clock: ManualClock
) -> None:
    await die(inbox, await begun(inbox))
    clock.advance(2 * DAY_S)
    await inbox.purge()
    await inbox.redrive(ALL)
    assert await inbox.join(SHOP, "msg_1", owner=US) == Joined(ReplyState.GIVEN_UP)


async def test_what_could_not_be_read_is_not_redriven(inbox: Inbox) -> None:
    await accept(inbox, unread("bad_1"))
    await bury(inbox, "msg_1")
    assert await inbox.redrive(ALL, limit=1) == 1
    assert await ids(inbox) == ["bad_1.-"]
    assert await inbox.redrive(Selection(ids=("bad_1.-",))) == 0


async def test_at_most_the_limit_is_redriven_the_oldest_first(inbox: Inbox) -> None:
    for n in range(3):
        await bury(inbox, f"msg_{n}")
    assert await inbox.redrive(Selection(target=AUDIT), limit=2) == 2
    assert await ids(inbox) == ["msg_2.audit"]


async def test_a_copy_that_waits_begins_anew_when_its_question_is_redriven(
    inbox: Inbox, clock: ManualClock
) -> None:
    answer = await accept(inbox, replace(question(), notify=(TRADING,)))
    assert answer.lease is not None
    await retry(inbox, await leased(inbox, TRADING), after_s=3600.0)
    await die(inbox, answer.lease)
    assert await inbox.redrive(ALL) == 1
    delivery = await leased(inbox, TRADING)
    assert (delivery.failures, delivery.attempts) == (0, ())
    assert delivery.marks == {Mark.REDRIVEN}
    await done(inbox, delivery)
    assert (await inbox.depth()).events == 0


async def test_redriving_leaves_a_lease_alone(inbox: Inbox) -> None:
    answer = await accept(inbox, replace(question(), notify=(TRADING,)))
    assert answer.lease is not None
    copy = await leased(inbox, TRADING)
    await die(inbox, answer.lease)
    assert await inbox.redrive(ALL) == 1
    assert await nothing_due(inbox, TRADING)
    assert await inbox.renew([copy]) == []
    assert await letters(inbox) == ()


async def test_redriving_works_on_a_full_inbox(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=1))
    await bury(inbox)
    assert await inbox.redrive(ALL) == 1
    assert (await inbox.depth()).events == 1
