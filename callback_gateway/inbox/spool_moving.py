"""What of the spool is to go to the store, and what went, in the spool's SQL.

Each function runs inside the writer's transaction. What lies there is in spool_rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import Arrival, Attempt, ReplyState, Stamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_WAITING: Final = """
SELECT id, account, document, notify, replier, reply_within_s, proof, body, malformed, tries,
    state, reply, reason, attempts, accepted_at FROM spooled
WHERE state <> ? OR due <= ? ORDER BY number LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Spooled:
    """An arrival that waits for the store, and how far its answer got here."""

    arrival: Arrival
    tries: int
    reply_until: float
    reply_state: ReplyState
    reply: bytes | None
    reason: str
    """Why it was given up."""
    attempts: tuple[Attempt, ...]


def waiting(connection: sqlite3.Connection, now: float, limit: int) -> list[Spooled]:
    """The first that no attempt holds up, to be moved: nobody takes them over meanwhile."""
    found = connection.execute(_WAITING, (ReplyState.RUNNING, now, limit)).fetchall()
    connection.executemany(
        "UPDATE spooled SET moving = 1 WHERE id = ?", [(row[0],) for row in found]
    )
    return [_spooled(row) for row in found]


def stay(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """They were not moved after all."""
    connection.executemany("UPDATE spooled SET moving = 0 WHERE id = ?", [(each,) for each in ids])


def remove(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """They are in the store."""
    connection.executemany("DELETE FROM spooled WHERE id = ?", [(each,) for each in ids])


def forget_stamps(connection: sqlite3.Connection, seen_before: float) -> None:
    connection.execute("DELETE FROM stamps WHERE seen <= ?", (seen_before,))


def _spooled(row: Any) -> Spooled:
    event_id, account, document, notify, replier, within_s, proof, body, malformed = row[:9]
    tries, state, reply, reason, attempts, accepted_at = row[9:]
    arrival = Arrival(
        event_id,
        account,
        document,
        notify=tuple(orjson.loads(notify)),
        replier=replier,
        reply_within_s=within_s,
        stamp=None if proof is None else Stamp(proof, body),
        malformed=malformed,
    )
    return Spooled(
        arrival=arrival,
        tries=tries,
        reply_until=accepted_at + within_s,
        reply_state=ReplyState(state),
        reply=reply,
        reason=reason or "",
        attempts=codec.decode_attempts(attempts),
    )
