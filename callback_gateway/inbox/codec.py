"""PURE: the rules and written forms that every inbox shares. The stores themselves are beside it.

What a store decides where `base` leaves room, all of them alike:

- A stamp is kept for NEW and DUPLICATE arrivals, and a known one is judged before the id.
- Only what takes up room can be FULL: an arrival without deliveries is an id and no more.
- Ids, stamps and dead letters stand until `purge`, even when their time is over.
- A lease is void when its delivery is over or leased anew. One that lapsed and that nobody took
  may still be renewed and settled.
- `accept` and `join` take a reply attempt over when its delivery is due: its lease lapsed (that
  counts in `cut_off`), it was released, or its retry's time has come.
- A dead letter takes the place of an older one of the same event and target.
- A redriven event whose id was forgotten has one try, and no reply to give (`revived_state`).
  Where a notify delivery of it to that target stands already, it begins anew, unless it is leased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from callback_gateway.inbox.records import (
    ATTEMPTS_KEPT,
    NOTIFY_LEASE_S,
    REPLY_LEASE_S,
    Attempt,
    Kind,
    Mark,
    ReplyState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from callback_gateway.inbox.records import Arrival, Settlement

REDRIVEN_MARKS: Final = frozenset({Mark.REDRIVEN})
"""Of a redriven delivery; it has no others."""
NO_ATTEMPTS: Final = b"[]"
NONCE_BYTES: Final = 6
"""Of a lease's name: enough, for it need only differ from its delivery's other leases."""

_CURSOR_DIGITS: Final = 18


class CursorRefused(ValueError):
    """What was given as `after` isn't the `next` of a page."""


def lease_s(kind: Kind) -> float:
    """How long a lease lasts that isn't renewed."""
    return REPLY_LEASE_S if kind is Kind.REPLY else NOTIFY_LEASE_S


def lease_name(owner: str, nonce: str) -> str:
    """Name the leases that one call gives; it says who holds them."""
    return f"{owner}/{nonce}"


def dead_letter_id(event_id: str, target: str) -> str:
    return f"{event_id}.{target}"


def needs_room(arrival: Arrival) -> bool:
    """Whether storing it adds to what the limit bounds."""
    return bool(arrival.notify) or arrival.replier is not None or arrival.malformed is not None


def first_state(arrival: Arrival) -> ReplyState:
    """How far the answer of a NEW event is."""
    asked = arrival.replier is not None and arrival.malformed is None
    return ReplyState.RUNNING if asked else ReplyState.NONE


def revived_state(kind: Kind) -> ReplyState:
    """How far the answer is of an event that was forgotten and whose letter is redriven."""
    return ReplyState.GIVEN_UP if kind is Kind.REPLY else ReplyState.NONE


def attempts_after(settlement: Settlement) -> tuple[Attempt, ...]:
    """The delivery's attempts with the one that is settled: whoever holds a lease knows them."""
    attempts = settlement.delivery.attempts
    if settlement.attempt is not None:
        attempts = (*attempts, settlement.attempt)
    return attempts[-ATTEMPTS_KEPT:]


def encode_attempts(attempts: Sequence[Attempt]) -> bytes:
    """JSON: a list of [at, took_s, outcome]."""
    if not attempts:
        return NO_ATTEMPTS
    return orjson.dumps([[each.at, each.took_s, each.outcome] for each in attempts])


def decode_attempts(document: bytes) -> tuple[Attempt, ...]:
    """Read what `encode_attempts` wrote; fields that a later version adds are passed over."""
    if document == NO_ATTEMPTS:
        return ()
    return tuple(Attempt(*fields[:3]) for fields in orjson.loads(document))


def encode_marks(marks: Iterable[Mark]) -> str:
    """The marks' names with commas between them; "" for none."""
    return ",".join(sorted(marks))


def decode_marks(text: str) -> frozenset[Mark]:
    return frozenset(Mark(name) for name in text.split(",")) if text else frozenset()


def encode_cursor(position: int) -> str:
    """A page's `next` from the growing number that its last letter was given."""
    return str(position)


def decode_cursor(cursor: str | None) -> int:
    """The number after which the page begins, 0 for the first. Raises CursorRefused."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _CURSOR_DIGITS):
        raise CursorRefused("`after` must be the `next` of an earlier page")
    return int(cursor)
