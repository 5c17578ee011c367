"""Arrivals and settlements that the tests of the inbox are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callback_gateway.inbox.records import (
    Accepted,
    Arrival,
    Attempt,
    Dead,
    DeadLetter,
    Delivery,
    Done,
    Release,
    Retry,
    Selection,
    Settlement,
)

if TYPE_CHECKING:
    from callback_gateway.inbox.base import Inbox

SHOP = "shop"
AUDIT = "audit"
CRM = "crm"
TRADING = "trading"
US = "us"
THEM = "them"
ALL = Selection()


def document(event_id: str) -> bytes:
    return b'{"id": "%s", "data": {"content": "\xe4\xbd\xa0\xe5\xa5\xbd"}}' % event_id.encode()


def notify(event_id: str = "msg_1", *targets: str, account: str = SHOP) -> Arrival:
    """Of an event that each of the targets gets a copy of."""
    return Arrival(event_id, account, document(event_id), notify=targets or (AUDIT,))


def question(event_id: str = "msg_1", *, within_s: float = 4.5) -> Arrival:
    """Of an event whose answer TRADING is asked for."""
    return Arrival(event_id, SHOP, document(event_id), replier=TRADING, reply_within_s=within_s)


def unread(event_id: str = "bad_1", reason: str = "not_xml") -> Arrival:
    """Of a callback that can't be read."""
    return Arrival(event_id, SHOP, document(event_id), malformed=reason)


async def accept(inbox: Inbox, arrival: Arrival, owner: str = US) -> Accepted:
    (answer,) = await inbox.accept([arrival], owner=owner)
    return answer


async def begun(inbox: Inbox, event_id: str = "msg_1", owner: str = US) -> Delivery:
    """Accept a question; return the lease of its attempt."""
    lease = (await accept(inbox, question(event_id), owner)).lease
    assert lease is not None
    return lease


async def leased(inbox: Inbox, target: str = AUDIT, owner: str = US) -> Delivery:
    """Lease the head of a target."""
    (delivery,) = await inbox.lease({target: 1}, owner=owner)
    return delivery


async def nothing_due(inbox: Inbox, *targets: str) -> bool:
    return not await inbox.lease(dict.fromkeys(targets or (AUDIT, CRM, TRADING), 9), owner=THEM)


def attempt(at: float = 1.0, outcome: str = "http_503") -> Attempt:
    return Attempt(at, 0.25, outcome)


async def done(inbox: Inbox, delivery: Delivery, reply: bytes | None = None) -> None:
    ended = attempt(outcome="delivered")
    await inbox.settle([Settlement(delivery, Done(reply), ended)])


async def retry(inbox: Inbox, delivery: Delivery, after_s: float = 30.0) -> None:
    await inbox.settle([Settlement(delivery, Retry(after_s), attempt())])


async def die(inbox: Inbox, delivery: Delivery, reason: str = "exhausted") -> None:
    await inbox.settle([Settlement(delivery, Dead(reason), attempt())])


async def release(inbox: Inbox, delivery: Delivery) -> None:
    await inbox.settle([Settlement(delivery, Release())])


async def letters(inbox: Inbox, selection: Selection = ALL) -> tuple[DeadLetter, ...]:
    return (await inbox.dead_letters(selection)).letters


async def bury(inbox: Inbox, event_id: str = "msg_1", target: str = AUDIT) -> DeadLetter:
    """Accept an event and let its one delivery die."""
    await accept(inbox, notify(event_id, target))
    await die(inbox, await leased(inbox, target))
    (letter,) = await letters(inbox, Selection(ids=(f"{event_id}.{target}",)))
    return letter
