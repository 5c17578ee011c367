"""Listing and dropping dead letters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.codec import CursorRefused
from callback_gateway.inbox.records import (
    Accepted,
    Kind,
    Page,
    Selection,
    Verdict,
)
from tests.callback_gateway.inbox.samples import (
    ALL,
    AUDIT,
    CRM,
    SHOP,
    TRADING,
    accept,
    bury,
    die,
    leased,
    letters,
    notify,
    question,
    unread,
)
from tests.token_service.stores.manual_clock import ManualClock


async def ids(inbox: Inbox, selection: Selection = ALL) -> list[str]:
    return [letter.id for letter in await letters(inbox, selection)]


async def test_an_inbox_without_dead_letters_has_one_empty_page(inbox: Inbox) -> None:
    assert await inbox.dead_letters(ALL) == Page((), None)


async def test_the_oldest_dead_letter_comes_first(inbox: Inbox, clock: ManualClock) -> None:
    for event_id in ("msg_b", "msg_c", "msg_a"):
        await bury(inbox, event_id)
        clock.advance(1)
    assert await ids(inbox) == ["msg_b.audit", "msg_c.audit", "msg_a.audit"]


async def test_pages_continue_where_the_last_one_ended(inbox: Inbox, clock: ManualClock) -> None:
    for n in range(5):
        await bury(inbox, f"msg_{n}")
        clock.advance(n % 2)
    seen: list[list[str]] = []
    after = None
    while True:
        page = await inbox.dead_letters(ALL, after=after, limit=2)
        seen.append([letter.event_id for letter in page.letters])
        if page.next is None:
            break
        after = page.next
    assert seen == [["msg_0", "msg_1"], ["msg_2", "msg_3"], ["msg_4"]]


async def test_a_page_goes_on_although_its_last_letter_went(inbox: Inbox) -> None:
    for n in range(3):
        await bury(inbox, f"msg_{n}")
    page = await inbox.dead_letters(ALL, limit=1)
    await inbox.drop(Selection(ids=("msg_0.audit",)))
    rest = await inbox.dead_letters(ALL, after=page.next)
    assert [letter.event_id for letter in rest.letters] == ["msg_1", "msg_2"]


async def test_a_full_last_page_is_the_last(inbox: Inbox) -> None:
    for n in range(2):
        await bury(inbox, f"msg_{n}")
    assert (await inbox.dead_letters(ALL, limit=2)).next is None


@pytest.mark.parametrize("after", ["", "nonsense", "-1", "9" * 40, "１"])
async def test_what_is_no_cursor_is_refused(inbox: Inbox, after: str) -> None:
    with pytest.raises(CursorRefused, match="`next` of an earlier page"):
        await inbox.dead_letters(ALL, after=after)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), ["msg_1.audit", "msg_1.crm", "msg_2.audit", "bad_1.-"]),
        (Selection(account="bank"), ["msg_2.audit"]),
        (Selection(target=AUDIT), ["msg_1.audit", "msg_2.audit"]),
        (Selection(account=SHOP, target=AUDIT), ["msg_1.audit"]),
        (Selection(target="-"), ["bad_1.-"]),
        (Selection(account="nobody"), []),
        (Selection(ids=("bad_1.-", "msg_1.crm", "unknown.audit")), ["msg_1.crm", "bad_1.-"]),
    ],
)
async def test_dead_letters_are_selected(
    inbox: Inbox, selection: Selection, expected: list[str], clock: ManualClock
) -> None:
    await accept(inbox, notify("msg_1", AUDIT, CRM))
    await accept(inbox, notify("msg_2", AUDIT, account="bank"))
    for target in (AUDIT, CRM, AUDIT):
        await die(inbox, await leased(inbox, target))
        clock.advance(1)
    await accept(inbox, unread())
    assert await ids(inbox, selection) == expected


async def test_the_same_delivery_stands_once_among_the_dead(inbox: Inbox) -> None:
    await accept(inbox, replace(question("msg_1"), notify=(TRADING,)))
    await bury(inbox, "msg_2")
    await die(inbox, await leased(inbox, TRADING), "first")
    await inbox.redrive(Selection(target=TRADING))
    await die(inbox, await leased(inbox, TRADING), "again")
    assert [(each.id, each.reason) for each in await letters(inbox)] == [
        ("msg_2.audit", "exhausted"),
        ("msg_1.trading", "again"),
    ]


async def test_a_later_death_takes_the_place_of_an_earlier_one(inbox: Inbox) -> None:
    answer = await accept(inbox, replace(question(), notify=(TRADING,)))
    assert answer.lease is not None
    await die(inbox, await leased(inbox, TRADING), "as a copy")
    await bury(inbox, "msg_2")
    await die(inbox, answer.lease, "as a question")
    assert [(each.id, each.kind, each.reason) for each in await letters(inbox)] == [
        ("msg_2.audit", Kind.NOTIFY, "exhausted"),
        ("msg_1.trading", Kind.REPLY, "as a question"),
    ]
    assert (await inbox.depth()).events == 2


# -- drop --------------------------------------------------------------------------------------


async def test_dropped_letters_are_gone(inbox: Inbox) -> None:
    for n in range(3):
        await bury(inbox, f"msg_{n}")
    assert await inbox.drop(Selection(ids=("msg_1.audit", "unknown.audit"))) == 1
    assert await ids(inbox) == ["msg_0.audit", "msg_2.audit"]
    assert (await inbox.depth()).events == 2


async def test_at_most_the_limit_is_dropped_the_oldest_first(inbox: Inbox) -> None:
    for n in range(3):
        await bury(inbox, f"msg_{n}")
    assert await inbox.drop(ALL, limit=2) == 2
    assert await ids(inbox) == ["msg_2.audit"]


async def test_a_dropped_event_is_still_known(inbox: Inbox) -> None:
    await bury(inbox)
    await inbox.drop(ALL)
    assert await accept(inbox, notify()) == Accepted(Verdict.DUPLICATE, tries=2)
