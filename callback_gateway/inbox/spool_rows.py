"""What the spool keeps of an arrival, in SQL. Each function runs inside the writer's transaction.

`name` names the leases that one call gives. The file's methods are in spool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import (
    REPLY_LEASE_S,
    Accepted,
    Arrival,
    Delivery,
    Joined,
    Kind,
    ReplyState,
    Stamp,
    Verdict,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS spooled (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL,
        document BLOB NOT NULL,
        notify BLOB NOT NULL,
        replier TEXT,
        reply_within_s REAL NOT NULL,
        proof TEXT,
        body TEXT,
        malformed TEXT,
        accepted_at REAL NOT NULL,
        tries INTEGER NOT NULL DEFAULT 1,
        state TEXT NOT NULL,
        reply BLOB,
        reason TEXT,
        lease TEXT,
        due REAL NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0,
        cut_off INTEGER NOT NULL DEFAULT 0,
        attempts BLOB NOT NULL,
        moving INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS stamps (
        proof TEXT PRIMARY KEY, body TEXT NOT NULL, seen REAL NOT NULL
    ) WITHOUT ROWID
    """,
)
_ADD: Final = """
INSERT INTO spooled (id, account, document, notify, replier, reply_within_s, proof, body,
    malformed, accepted_at, state, due, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_TRY: Final = "UPDATE spooled SET tries = tries + 1 WHERE id = ?"
_KNOWN: Final = "SELECT state, reply, tries FROM spooled WHERE id = ?"
_DUE_REPLY: Final = """
SELECT account, replier, document, attempts, failures, cut_off + (lease IS NOT NULL), accepted_at,
    reply_within_s FROM spooled WHERE id = ? AND state = ? AND due <= ? AND NOT moving
"""
_LEASE: Final = "UPDATE spooled SET lease = ?, due = ?, cut_off = ? WHERE id = ?"


def begin(connection: sqlite3.Connection, now: float) -> list[str]:
    """Take a file over from a dead process, whose attempts were cut off; returns all ids."""
    connection.execute("UPDATE spooled SET moving = 0")
    connection.execute("UPDATE spooled SET due = ? WHERE lease IS NOT NULL", (now,))
    return [event_id for (event_id,) in connection.execute("SELECT id FROM spooled")]


def accept(
    connection: sqlite3.Connection, arrivals: Sequence[Arrival], name: str, room: int, now: float
) -> list[Accepted]:
    """Take arrivals in, as `Inbox.accept` does, by what is known here; `room` for new ones."""
    accepted: list[Accepted] = []
    for arrival in arrivals:
        accepted.append(_accept(connection, arrival, name, room, now))
        room -= accepted[-1].verdict is Verdict.NEW
    return accepted


def join(connection: sqlite3.Connection, event_id: str, name: str, now: float) -> Joined | None:
    """As `Inbox.join`; None for what isn't here."""
    known = connection.execute(_KNOWN, (event_id,)).fetchone()
    if known is None:
        return None
    return Joined(ReplyState(known[0]), known[1], _take_over(connection, event_id, name, now))


def _accept(
    connection: sqlite3.Connection, arrival: Arrival, name: str, room: int, now: float
) -> Accepted:
    stamp, event_id = arrival.stamp, arrival.event_id
    if stamp is not None and _is_altered(connection, stamp):
        return Accepted(Verdict.ALTERED)
    verdict = Verdict.DUPLICATE
    if not connection.execute(_TRY, (event_id,)).rowcount:
        if room < 1:
            return Accepted(Verdict.FULL)
        _add(connection, arrival, now)
        verdict = Verdict.NEW
    if stamp is not None:
        connection.execute(
            "INSERT OR IGNORE INTO stamps VALUES (?, ?, ?)", (stamp.proof, stamp.body, now)
        )
    lease = _take_over(connection, event_id, name, now)
    state, reply, tries = connection.execute(_KNOWN, (event_id,)).fetchone()
    return Accepted(verdict, tries, ReplyState(state), reply, lease)


def _is_altered(connection: sqlite3.Connection, stamp: Stamp) -> bool:
    known = connection.execute("SELECT body FROM stamps WHERE proof = ?", (stamp.proof,)).fetchone()
    return known is not None and known[0] != stamp.body


def _add(connection: sqlite3.Connection, arrival: Arrival, now: float) -> None:
    stamp = arrival.stamp
    connection.execute(
        _ADD,
        (
            *(arrival.event_id, arrival.account, arrival.document, orjson.dumps(arrival.notify)),
            *(arrival.replier, arrival.reply_within_s),
            *((None, None) if stamp is None else (stamp.proof, stamp.body)),
            *(arrival.malformed, now, codec.first_state(arrival), now, codec.NO_ATTEMPTS),
        ),
    )


def _take_over(
    connection: sqlite3.Connection, event_id: str, name: str, now: float
) -> Delivery | None:
    row = connection.execute(_DUE_REPLY, (event_id, ReplyState.RUNNING, now)).fetchone()
    if row is None:
        return None
    account, replier, document, attempts, failures, cut_off, accepted_at, within_s = row
    connection.execute(_LEASE, (name, now + REPLY_LEASE_S, cut_off, event_id))
    return Delivery(
        event_id=event_id,
        account=account,
        target=replier,
        kind=Kind.REPLY,
        document=document,
        lease=name,
        attempts=codec.decode_attempts(attempts),
        failures=failures,
        cut_off=cut_off,
        accepted_at=accepted_at,
        reply_until=accepted_at + within_s,
        now=now,
    )
