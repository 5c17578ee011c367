"""Arrivals in SQLite: the step that claims an id and stores its event, and the one that joins.

Each function runs inside the writer's transaction. `name` names the leases that one call gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import (
    NOWHERE,
    Accepted,
    Delivery,
    Joined,
    Kind,
    ReplyState,
    Verdict,
)
from callback_gateway.inbox.sqlite_deliveries import take_over

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from callback_gateway.inbox.records import Arrival, Stamp

_STAMP: Final = "SELECT body FROM stamps WHERE proof = ?"
_KEEP_STAMP: Final = "INSERT INTO stamps VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_HELD: Final = "SELECT held FROM meta"
_ADD: Final = """
INSERT INTO events (id, account, tries, reply_state, accepted_at, standing, document)
VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_COUNT_TRY: Final = """
UPDATE events SET tries = tries + 1 WHERE id = ? RETURNING number, tries, reply_state, reply
"""
_ADD_DELIVERY: Final = "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?)"
_SUPERSEDE: Final = "DELETE FROM dead_letters WHERE id = ?"
_ADD_UNREAD: Final = """
INSERT INTO dead_letters
    (id, event_id, account, target, kind, reason, died_at, accepted_at, attempts, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIND: Final = "SELECT number, reply_state, reply FROM events WHERE id = ? AND account = ?"


def accept(
    connection: sqlite3.Connection, arrivals: Sequence[Arrival], name: str, limit: int, now: float
) -> list[Accepted]:
    """Claim and store; answers in the order of the arrivals. `limit` bounds what is held."""
    return [_accept(connection, arrival, name, limit, now) for arrival in arrivals]


def join(
    connection: sqlite3.Connection, account: str, event_id: str, name: str, now: float
) -> Joined:
    """See how far an answer is; lease its delivery when that is due."""
    row = connection.execute(_FIND, (event_id, account)).fetchone()
    if row is None:
        return Joined(ReplyState.GIVEN_UP)
    number, state, reply = row
    if state != ReplyState.RUNNING:
        return Joined(ReplyState(state), reply)
    return Joined(ReplyState.RUNNING, reply, take_over(connection, number, name, now))


def _accept(
    connection: sqlite3.Connection, arrival: Arrival, name: str, limit: int, now: float
) -> Accepted:
    if arrival.stamp is not None and _is_altered(connection, arrival.stamp):
        return Accepted(Verdict.ALTERED)
    has_place = not codec.needs_room(arrival) or _held(connection) < limit
    answer = _add(connection, arrival, name, now) if has_place else None
    if answer is None:
        answer = _count_try(connection, arrival.event_id, name, now)
    if answer is None:
        return Accepted(Verdict.FULL)
    if arrival.stamp is not None:
        connection.execute(_KEEP_STAMP, (arrival.stamp.proof, arrival.stamp.body, now))
    return answer


def _held(connection: sqlite3.Connection) -> int:
    (held,) = connection.execute(_HELD).fetchone()
    return int(held)


def _is_altered(connection: sqlite3.Connection, stamp: Stamp) -> bool:
    known = connection.execute(_STAMP, (stamp.proof,)).fetchone()
    return known is not None and known[0] != stamp.body


def _add(
    connection: sqlite3.Connection, arrival: Arrival, name: str, now: float
) -> Accepted | None:
    """Store an event with its deliveries; None when its id is known."""
    state = codec.first_state(arrival)
    standing = 0
    if arrival.malformed is None:
        standing = len(arrival.notify) + (arrival.replier is not None)
    document = arrival.document if standing else None
    added = connection.execute(
        _ADD, (arrival.event_id, arrival.account, state, now, standing, document)
    )
    if not added.rowcount:
        return None
    if arrival.malformed is not None:
        _add_unread(connection, arrival, arrival.malformed, now)
        return Accepted(Verdict.NEW)
    number, none, marks = added.lastrowid, codec.NO_ATTEMPTS, codec.encode_marks(arrival.marks)
    for target in arrival.notify:
        row = (number, target, Kind.NOTIFY, now, None, none, None, marks)
        connection.execute(_ADD_DELIVERY, row)
    if arrival.replier is None:
        return Accepted(Verdict.NEW)
    lease = _first_lease(arrival, arrival.replier, name, now)
    until = now + codec.lease_s(Kind.REPLY)
    asked = (number, lease.target, Kind.REPLY, until, name, none, lease.reply_until, marks)
    connection.execute(_ADD_DELIVERY, asked)
    return Accepted(Verdict.NEW, reply_state=state, lease=lease)


def _first_lease(arrival: Arrival, replier: str, name: str, now: float) -> Delivery:
    return Delivery(
        event_id=arrival.event_id,
        account=arrival.account,
        target=replier,
        kind=Kind.REPLY,
        document=arrival.document,
        lease=name,
        accepted_at=now,
        reply_until=now + arrival.reply_within_s,
        now=now,
        marks=arrival.marks,
    )


def _add_unread(connection: sqlite3.Connection, arrival: Arrival, reason: str, now: float) -> None:
    """Store what can't be read as a dead letter, in place of an older one."""
    letter_id = codec.dead_letter_id(arrival.event_id, NOWHERE)
    connection.execute(_SUPERSEDE, (letter_id,))
    ids = (letter_id, arrival.event_id, arrival.account, NOWHERE, Kind.NOTIFY)
    row = (*ids, reason, now, now, codec.NO_ATTEMPTS, arrival.document)
    connection.execute(_ADD_UNREAD, row)


def _count_try(
    connection: sqlite3.Connection, event_id: str, name: str, now: float
) -> Accepted | None:
    """A known event has come again; None when it isn't known."""
    row = connection.execute(_COUNT_TRY, (event_id,)).fetchone()
    if row is None:
        return None
    number, tries, state, reply = row
    running = state == ReplyState.RUNNING
    lease = take_over(connection, number, name, now) if running else None
    return Accepted(Verdict.DUPLICATE, tries, ReplyState(state), reply, lease)
