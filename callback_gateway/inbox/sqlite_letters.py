"""Dead letters in SQLite: listing, redriving, dropping. How they come to be is where it happens.

Each function runs inside the writer's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from callback_gateway.inbox import codec
from callback_gateway.inbox.records import NOWHERE, DeadLetter, Kind, Page

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from callback_gateway.inbox.records import Selection

_REMOVE: Final = "DELETE FROM dead_letters WHERE position = ?"
_REMEMBER: Final = """
INSERT INTO events (id, account, tries, reply_state, accepted_at, standing)
VALUES (?, ?, 1, ?, ?, 0) ON CONFLICT DO NOTHING
"""
_NUMBER: Final = "SELECT number FROM events WHERE id = ?"
_STANDING: Final = """
SELECT lease FROM deliveries WHERE event = ? AND target = ? AND kind = ?
"""
_BEGIN_ANEW: Final = """
INSERT INTO deliveries VALUES (?, ?, ?, ?, NULL, 0, 0, ?, NULL, ?)
ON CONFLICT DO UPDATE SET due = excluded.due, failures = 0, cut_off = 0,
    attempts = excluded.attempts, marks = excluded.marks
"""
_RESTORE: Final = """
UPDATE events SET standing = standing + 1, document = coalesce(document, ?) WHERE number = ?
"""


def page(connection: sqlite3.Connection, selection: Selection, after: int, limit: int) -> Page:
    """List letters whose position is above `after`, the oldest first."""
    found = _select(connection, selection, {"position > ?": after}, limit + 1)
    shown = found[:limit]
    more = len(found) > len(shown)
    return Page(
        tuple(letter for _, letter in shown),
        codec.encode_cursor(shown[-1][0]) if more else None,
    )


def redrive(connection: sqlite3.Connection, selection: Selection, limit: int, now: float) -> int:
    """Make letters deliveries again, those to NOWHERE left out; returns how many."""
    chosen = _select(connection, selection, {"target <> ?": NOWHERE}, limit)
    for position, letter in chosen:
        _revive(connection, letter, now)
        connection.execute(_REMOVE, (position,))
    return len(chosen)


def drop(connection: sqlite3.Connection, selection: Selection, limit: int) -> int:
    """Delete letters; returns how many."""
    chosen = _select(connection, selection, {}, limit)
    connection.executemany(_REMOVE, [(position,) for position, _ in chosen])
    return len(chosen)


def _revive(connection: sqlite3.Connection, letter: DeadLetter, now: float) -> None:
    """Make the letter a delivery under its event's id, which may have been forgotten."""
    state = codec.revived_state(letter.kind)
    connection.execute(_REMEMBER, (letter.event_id, letter.account, state, letter.accepted_at))
    (number,) = connection.execute(_NUMBER, (letter.event_id,)).fetchone()
    standing = connection.execute(_STANDING, (number, letter.target, Kind.NOTIFY)).fetchone()
    if standing is not None and standing[0] is not None:
        return
    marks = codec.encode_marks(codec.REDRIVEN_MARKS)
    redriven = (number, letter.target, Kind.NOTIFY, now, codec.NO_ATTEMPTS, marks)
    connection.execute(_BEGIN_ANEW, redriven)
    if standing is None:
        connection.execute(_RESTORE, (letter.document, number))


def _select(
    connection: sqlite3.Connection, selection: Selection, also: Mapping[str, Any], limit: int
) -> list[tuple[int, DeadLetter]]:
    """The first letters of a selection for which the conditions in `also` hold; with positions."""
    conditions = dict(also)
    if selection.ids:
        conditions["id IN (SELECT value FROM json_each(?))"] = orjson.dumps(selection.ids).decode()
    else:
        conditions |= {"account = ?": selection.account, "target = ?": selection.target}
    given = {text: value for text, value in conditions.items() if value is not None}
    rows = connection.execute(
        # The conditions are ours, what others chose is bound.
        f"""SELECT position, id, event_id, account, target, kind, reason, died_at, accepted_at,
            document, attempts FROM dead_letters
            WHERE {" AND ".join(given) or "TRUE"} ORDER BY position LIMIT ?""",  # noqa: S608
        (*given.values(), limit),
    )
    return [(row[0], _letter(row)) for row in rows]


def _letter(row: Any) -> DeadLetter:
    *ids, kind, reason, died_at, accepted_at, document, attempts = row[1:]
    letter_id, event_id, account, target = ids
    return DeadLetter(
        id=letter_id,
        event_id=event_id,
        account=account,
        target=target,
        kind=Kind(kind),
        reason=reason,
        died_at=died_at,
        accepted_at=accepted_at,
        document=document,
        attempts=codec.decode_attempts(attempts),
    )
