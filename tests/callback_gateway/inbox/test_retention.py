"""What `purge` forgets, and what it must not forget."""

from __future__ import annotations

from dataclasses import replace

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.records import Keeping, ReplyState, Stamp, Verdict
from tests.callback_gateway.inbox.conftest import Open
from tests.callback_gateway.inbox.samples import (
    SHOP,
    US,
    accept,
    begun,
    bury,
    document,
    done,
    leased,
    letters,
    notify,
    retry,
    unread,
)
from tests.token_service.stores.manual_clock import ManualClock

DAY_S = 86_400.0


async def delivered(inbox: Inbox, event_id: str) -> None:
    await accept(inbox, notify(event_id))
    await done(inbox, await leased(inbox))


async def test_an_id_is_remembered_as_long_as_promised(inbox: Inbox, clock: ManualClock) -> None:
    await delivered(inbox, "msg_1")
    clock.advance(DAY_S - 1)
    assert await inbox.purge() == 0
    assert (await accept(inbox, notify("msg_1"))).verdict is Verdict.DUPLICATE


async def test_an_id_is_forgotten_after_its_time(inbox: Inbox, clock: ManualClock) -> None:
    await delivered(inbox, "msg_1")
    clock.advance(DAY_S + 1)
    assert await inbox.purge() == 1
    assert (await accept(inbox, notify("msg_1"))).verdict is Verdict.NEW


async def test_an_answer_is_forgotten_with_its_id(inbox: Inbox, clock: ManualClock) -> None:
    await done(inbox, await begun(inbox), b"{}")
    clock.advance(DAY_S + 1)
    await inbox.purge()
    joined = await inbox.join(SHOP, "msg_1", owner=US)
    assert (joined.reply_state, joined.reply) == (ReplyState.GIVEN_UP, None)


async def test_further_tries_do_not_prolong_the_memory(inbox: Inbox, clock: ManualClock) -> None:
    await delivered(inbox, "msg_1")
    clock.advance(DAY_S - 1)
    await accept(inbox, notify("msg_1"))
    clock.advance(2)
    assert await inbox.purge() == 1


async def test_an_undelivered_event_is_never_forgotten(inbox: Inbox, clock: ManualClock) -> None:
    await accept(inbox, notify())
    await retry(inbox, await leased(inbox), after_s=3 * DAY_S)
    clock.advance(3 * DAY_S)
    assert await inbox.purge() == 0
    delivery = await leased(inbox)
    assert delivery.document == document("msg_1")
    await done(inbox, delivery)
    assert await inbox.purge() == 1


async def test_a_dead_letter_outlives_its_id(inbox: Inbox, clock: ManualClock) -> None:
    letter = await bury(inbox)
    clock.advance(2 * DAY_S)
    assert await inbox.purge() == 1
    assert await letters(inbox) == (letter,)
    assert (await accept(inbox, notify())).verdict is Verdict.NEW


async def test_a_dead_letter_goes_after_its_time(inbox: Inbox, clock: ManualClock) -> None:
    await bury(inbox)
    clock.advance(30 * DAY_S - 1)
    await inbox.purge()
    assert len(await letters(inbox)) == 1
    clock.advance(2)
    assert await inbox.purge() == 1
    assert await letters(inbox) == ()
    assert (await inbox.depth()).events == 0


async def test_a_stamp_is_remembered_as_long_as_promised(
    open_inbox: Open, clock: ManualClock
) -> None:
    inbox = await open_inbox(Keeping(stamp_s=1200.0))
    await accept(inbox, replace(notify("msg_1"), stamp=Stamp("proof", "body")))
    forged = replace(notify("msg_2"), stamp=Stamp("proof", "other"))
    clock.advance(1199)
    assert await inbox.purge() == 0
    assert (await accept(inbox, forged)).verdict is Verdict.ALTERED
    clock.advance(2)
    assert await inbox.purge() == 1
    assert (await accept(inbox, forged)).verdict is Verdict.NEW


async def test_purging_goes_on_from_call_to_call(inbox: Inbox, clock: ManualClock) -> None:
    for n in range(5):
        await delivered(inbox, f"msg_{n}")
    clock.advance(DAY_S + 1)
    assert [await inbox.purge(limit=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_the_oldest_are_forgotten_first(inbox: Inbox, clock: ManualClock) -> None:
    for event_id in ("msg_b", "msg_a"):
        await delivered(inbox, event_id)
        clock.advance(1)
    clock.advance(DAY_S)
    assert await inbox.purge(limit=1) == 1
    assert (await accept(inbox, notify("msg_a"))).verdict is Verdict.DUPLICATE


async def test_a_forgotten_id_that_comes_again_supersedes_its_old_letter(
    inbox: Inbox, clock: ManualClock
) -> None:
    await bury(inbox)
    clock.advance(2 * DAY_S)
    await inbox.purge()
    again = await bury(inbox)
    assert await letters(inbox) == (again,)
    assert (await inbox.depth()).events == 1


async def test_what_cannot_be_read_supersedes_its_old_letter_too(
    inbox: Inbox, clock: ManualClock
) -> None:
    await accept(inbox, unread(reason="not_xml"))
    clock.advance(2 * DAY_S)
    await inbox.purge()
    await accept(inbox, unread(reason="too_deep"))
    assert [letter.reason for letter in await letters(inbox)] == ["too_deep"]
    assert (await inbox.depth()).events == 1


async def test_the_limit_of_a_purge_bounds_all_that_is_forgotten(
    inbox: Inbox, clock: ManualClock
) -> None:
    await bury(inbox, "msg_1")
    await accept(inbox, replace(unread(), stamp=Stamp("proof", "body")))
    clock.advance(31 * DAY_S)
    forgotten = [await inbox.purge(limit=2) for _ in range(4)]
    assert all(count <= 2 for count in forgotten)
    assert sum(forgotten) == 5
