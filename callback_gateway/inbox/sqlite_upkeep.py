"""Forgetting and counting in SQLite, and which targets are disabled.

Each function runs inside the writer's transaction. None looks at more rows than it forgets, leases
or names targets: depths come from the counters that sqlite_schema keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.inbox.records import Depth

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from callback_gateway.inbox.records import Keeping

_FORGET_IDS: Final = """
DELETE FROM events WHERE number IN (
    SELECT number FROM events WHERE standing = 0 AND accepted_at <= ?
    ORDER BY accepted_at, number LIMIT ?)
"""
_FORGET_STAMPS: Final = """
DELETE FROM stamps WHERE proof IN (
    SELECT proof FROM stamps WHERE seen_at <= ? ORDER BY seen_at, proof LIMIT ?)
"""
_FORGET_LETTERS: Final = """
DELETE FROM dead_letters WHERE position IN (
    SELECT position FROM dead_letters WHERE died_at <= ? ORDER BY died_at, position LIMIT ?)
"""

_COUNTED: Final = "SELECT target, deliveries, dead FROM targets WHERE deliveries > 0 OR dead > 0"
_LEASED: Final = """
SELECT target, count(*) FROM deliveries WHERE lease IS NOT NULL AND due > ? GROUP BY target
"""
_HEAD: Final = "SELECT min(due) FROM deliveries WHERE target = ?"


def purge(connection: sqlite3.Connection, keeping: Keeping, limit: int, now: float) -> int:
    """Forget at most `limit` ids, stamps and dead letters, the oldest first; returns how many."""
    left = limit
    for statement, kept_s in (
        (_FORGET_IDS, keeping.retention_s),
        (_FORGET_STAMPS, keeping.stamp_s),
        (_FORGET_LETTERS, keeping.dead_retention_s),
    ):
        left -= connection.execute(statement, (now - kept_s, left)).rowcount
    return limit - left


def depth(connection: sqlite3.Connection, limit: int, now: float) -> Depth:
    """Count what is held at `now`."""
    (held,) = connection.execute("SELECT held FROM meta").fetchone()
    counted = connection.execute(_COUNTED).fetchall()
    leased: dict[str, int] = dict(connection.execute(_LEASED, (now,)).fetchall())
    waiting = {target: standing - leased.get(target, 0) for target, standing, _ in counted}
    heads = {
        target: connection.execute(_HEAD, (target,)).fetchone()[0]
        for target, count in waiting.items()
        if count > 0
    }
    return Depth(
        events=held,
        limit=limit,
        waiting={target: count for target, count in waiting.items() if count > 0},
        leased=leased,
        dead={target: dead for target, _, dead in counted if dead > 0},
        oldest_due_s={target: now - due for target, due in heads.items() if due <= now},
    )


def disable(connection: sqlite3.Connection, target: str, fingerprint: str) -> None:
    """Remember, in place of an older fingerprint."""
    connection.execute("INSERT OR REPLACE INTO disabled VALUES (?, ?)", (target, fingerprint))


def enable(connection: sqlite3.Connection, target: str) -> bool:
    """False when it wasn't disabled."""
    deleted = connection.execute("DELETE FROM disabled WHERE target = ?", (target,))
    return deleted.rowcount > 0


def disabled(connection: sqlite3.Connection) -> Mapping[str, str]:
    """Disabled targets with their fingerprints."""
    return dict(connection.execute("SELECT target, fingerprint FROM disabled").fetchall())
