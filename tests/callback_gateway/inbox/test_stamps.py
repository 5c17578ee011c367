"""A plaintext request's proof is good for one body."""

from __future__ import annotations

from dataclasses import replace

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import (
    Accepted,
    Stamp,
    Verdict,
)
from tests.callback_gateway.inbox.samples import (
    US,
    accept,
    notify,
    question,
)

STAMP = Stamp("proof-1", "body-1")
FORGED = Stamp("proof-1", "body-2")


async def test_a_known_stamp_with_its_body_is_a_retry(inbox: Inbox) -> None:
    arrival = replace(notify(), stamp=STAMP)
    await accept(inbox, arrival)
    assert (await accept(inbox, arrival)).verdict is Verdict.DUPLICATE


async def test_a_known_stamp_with_another_body_is_altered(inbox: Inbox) -> None:
    await accept(inbox, replace(notify("msg_1"), stamp=STAMP))
    forged = await accept(inbox, replace(question("msg_2"), stamp=FORGED))
    assert forged == Accepted(Verdict.ALTERED)
    assert (await accept(inbox, question("msg_2"))).verdict is Verdict.NEW


async def test_an_altered_body_of_a_known_event_counts_no_try(inbox: Inbox) -> None:
    await accept(inbox, replace(notify(), stamp=STAMP))
    assert (await accept(inbox, replace(notify(), stamp=FORGED))).verdict is Verdict.ALTERED
    assert (await accept(inbox, notify())).tries == 2


async def test_the_stamp_of_a_duplicate_is_known_too(inbox: Inbox) -> None:
    await accept(inbox, notify("msg_1"))
    await accept(inbox, replace(notify("msg_1"), stamp=STAMP))
    forged = await accept(inbox, replace(notify("msg_2"), stamp=FORGED))
    assert forged.verdict is Verdict.ALTERED


async def test_stamps_of_one_batch_see_each_other(inbox: Inbox) -> None:
    answers = await inbox.accept(
        [replace(notify("msg_1"), stamp=STAMP), replace(notify("msg_2"), stamp=FORGED)], owner=US
    )
    assert [answer.verdict for answer in answers] == [Verdict.NEW, Verdict.ALTERED]
