"""What a full inbox refuses, and what it still takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback_gateway.inbox.records import (
    Accepted,
    Arrival,
    Keeping,
    Stamp,
    Verdict,
)
from tests.callback_gateway.inbox.conftest import Open
from tests.callback_gateway.inbox.samples import (
    AUDIT,
    CRM,
    SHOP,
    US,
    accept,
    begun,
    bury,
    die,
    document,
    done,
    leased,
    notify,
    question,
    unread,
)

STAMP = Stamp("proof-1", "body-1")
FORGED = Stamp("proof-1", "body-2")


async def test_a_full_inbox_stores_nothing(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=1))
    await accept(inbox, notify("msg_1"))
    assert await accept(inbox, replace(question("msg_2"), stamp=STAMP)) == Accepted(Verdict.FULL)
    await done(inbox, await leased(inbox))
    accepted = await accept(inbox, replace(question("msg_2"), stamp=FORGED))
    assert (accepted.verdict, accepted.tries) == (Verdict.NEW, 1)


async def test_a_duplicate_is_never_full(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=1))
    await begun(inbox)
    assert (await accept(inbox, question())).verdict is Verdict.DUPLICATE


@pytest.mark.parametrize("arrival", [notify("msg_9"), question("msg_9"), unread("bad_9")])
async def test_dead_letters_count_towards_the_limit(open_inbox: Open, arrival: Arrival) -> None:
    inbox = await open_inbox(Keeping(limit=2))
    await bury(inbox, "msg_1")
    await accept(inbox, unread("bad_1"))
    assert (await accept(inbox, arrival)).verdict is Verdict.FULL


async def test_an_event_counts_once_however_many_deliveries_stand(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=2))
    await accept(inbox, replace(question("msg_1"), notify=(AUDIT, CRM)))
    assert (await accept(inbox, notify("msg_2"))).verdict is Verdict.NEW
    assert (await accept(inbox, notify("msg_3"))).verdict is Verdict.FULL


async def test_a_full_inbox_takes_what_needs_no_delivery(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=1))
    await accept(inbox, notify("msg_1"))
    plain = Arrival("msg_2", SHOP, document("msg_2"))
    assert (await accept(inbox, plain)).verdict is Verdict.NEW


async def test_one_batch_fills_the_inbox_to_its_limit(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=2))
    answers = await inbox.accept([notify(f"msg_{n}") for n in range(4)], owner=US)
    assert [answer.verdict for answer in answers] == [
        Verdict.NEW,
        Verdict.NEW,
        Verdict.FULL,
        Verdict.FULL,
    ]


async def test_a_delivery_that_dies_keeps_the_place_of_its_event(open_inbox: Open) -> None:
    inbox = await open_inbox(Keeping(limit=1))
    await accept(inbox, notify("msg_1"))
    await die(inbox, await leased(inbox))
    assert (await inbox.depth()).events == 1
    assert (await accept(inbox, notify("msg_2"))).verdict is Verdict.FULL
