"""What was written and what it cost, in SQLite. Each function runs inside a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from menu_worker.store import codec
from menu_worker.store.base import DRIFTS_KEPT, REVISIONS_KEPT, Drift, Outcome, Revision, Verified
from zhongkong.wechat.limits import day_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_NEXT_REVISION: Final = """
INSERT INTO revisions
SELECT ?1, max(coalesce(max(id), 0), ?4) + 1, ?2, ?3, '' FROM revisions WHERE account = ?1
RETURNING id
"""
_SPEND: Final = """
INSERT INTO spent SELECT :account, :call, :day, 1 WHERE :limit > 0
ON CONFLICT DO UPDATE SET times = CASE day WHEN :day THEN times + 1 ELSE 1 END, day = :day
WHERE day <> :day OR times < :limit
"""
_DROP_OLD_DRIFTS: Final = """
DELETE FROM drifts WHERE account = ?1 AND number NOT IN (
    SELECT number FROM drifts WHERE account = ?1 ORDER BY number DESC LIMIT ?2)
"""


def begin(file: sqlite3.Connection, account: str, record: bytes, floor: int, now: float) -> int:
    """The id is above `floor`, and above all that stand there."""
    ((number,),) = file.execute(_NEXT_REVISION, (account, now, record, floor)).fetchall()
    file.execute(
        "DELETE FROM revisions WHERE account = ? AND id <= ?", (account, number - REVISIONS_KEPT)
    )
    return int(number)


def finish(
    file: sqlite3.Connection, account: str, revision: int, outcome: Outcome, detail: str
) -> None:
    file.execute(
        "UPDATE revisions SET ending = ? WHERE account = ? AND id = ?",
        (codec.encode_ending(outcome, detail), account, revision),
    )


def history(file: sqlite3.Connection, account: str, limit: int) -> list[Revision]:
    rows = file.execute(
        "SELECT id, at, record, ending FROM revisions WHERE account = ? ORDER BY id DESC LIMIT ?",
        (account, max(limit, 0)),
    )
    return [_revision(account, row) for row in rows]


def revision(file: sqlite3.Connection, account: str, number: int) -> Revision | None:
    row = file.execute(
        "SELECT id, at, record, ending FROM revisions WHERE account = ? AND id = ?",
        (account, number),
    ).fetchone()
    return None if row is None else _revision(account, row)


def set_verified(file: sqlite3.Connection, account: str, record: bytes, now: float) -> None:
    file.execute("INSERT OR REPLACE INTO verified VALUES (?, ?, ?)", (account, now, record))


def verified(file: sqlite3.Connection, account: str) -> Verified | None:
    row = file.execute("SELECT at, record FROM verified WHERE account = ?", (account,)).fetchone()
    return None if row is None else codec.decode_verified(row[1], account, row[0])


def spend(file: sqlite3.Connection, account: str, call: str, limit: int, now: float) -> bool:
    words = {"account": account, "call": call, "day": day_of(now), "limit": limit}
    return file.execute(_SPEND, words).rowcount > 0


def spent(file: sqlite3.Connection, account: str, now: float) -> dict[str, int]:
    rows = file.execute(
        "SELECT call, times FROM spent WHERE account = ? AND day = ?", (account, day_of(now))
    )
    return dict(rows.fetchall())


def record_drift(file: sqlite3.Connection, account: str, fingerprint: str, now: float) -> None:
    file.execute(
        "INSERT INTO drifts (account, at, fingerprint) VALUES (?, ?, ?)",
        (account, now, fingerprint),
    )
    file.execute(_DROP_OLD_DRIFTS, (account, DRIFTS_KEPT))


def drifts(file: sqlite3.Connection, account: str, now: float) -> tuple[Sequence[Drift], float]:
    rows = file.execute(
        "SELECT at, fingerprint FROM drifts WHERE account = ? ORDER BY number", (account,)
    )
    return tuple(Drift(*row) for row in rows), now


def _revision(account: str, row: Any) -> Revision:
    number, at, record, ending = row
    return codec.decode_record(record, account=account, number=number, at=at, ending=ending)
