"""Who may write, in SQLite: claims, leases, the pause. Each function runs inside a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from menu_worker.store.base import CLAIMS_KEPT, Claim, Lease, Standing
from menu_worker.store.fences import next_fence

if TYPE_CHECKING:
    import sqlite3

_CLAIM: Final = """
INSERT INTO claims VALUES (:account, :instance, :fingerprint, coalesce(:remembered, :now))
ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, claimed_at = :now
WHERE fingerprint <> excluded.fingerprint
"""
_DROP_OLDEST: Final = """
DELETE FROM claims WHERE account = ?1 AND instance IN (
    SELECT instance FROM claims WHERE account = ?1
    ORDER BY claimed_at DESC, instance DESC LIMIT -1 OFFSET ?2)
"""
_GRANT: Final = """
INSERT INTO leases (account, fence, instance, until) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET fence = excluded.fence, instance = excluded.instance,
    until = excluded.until
"""


def claim(
    file: sqlite3.Connection,
    account: str,
    instance: str,
    fingerprint: str,
    remembered: float | None,
    now: float,
) -> Standing:
    """`remembered`: the time of this claim, for a file that doesn't know it any more."""
    words = {
        "account": account,
        "instance": instance,
        "fingerprint": fingerprint,
        "remembered": remembered,
        "now": now,
    }
    file.execute(_CLAIM, words)
    file.execute(_DROP_OLDEST, (account, CLAIMS_KEPT))
    return standing(file, account, now)


def standing(file: sqlite3.Connection, account: str, now: float) -> Standing:
    rows = file.execute(
        "SELECT instance, fingerprint, claimed_at FROM claims WHERE account = ? ORDER BY instance",
        (account,),
    )
    return Standing(tuple(Claim(*row) for row in rows), now)


def acquire(
    file: sqlite3.Connection, account: str, instance: str, ttl_s: float, now: float
) -> Lease | None:
    row = file.execute(
        "SELECT fence, instance, until FROM leases WHERE account = ?", (account,)
    ).fetchone()
    fence, holder, until = row or (0, None, 0.0)
    if holder is None or now >= until:
        fence = next_fence(fence, now)
    elif holder != instance:
        return None
    file.execute(_GRANT, (account, fence, instance, now + ttl_s))
    return Lease(account, instance, fence)


def holds(file: sqlite3.Connection, lease: Lease, ttl_s: float, now: float) -> bool:
    prolonged = file.execute(
        "UPDATE leases SET until = ? WHERE account = ? AND instance = ? AND fence = ? "
        "AND ? < until",
        (now + ttl_s, lease.account, lease.instance, lease.fence, now),
    )
    return prolonged.rowcount > 0


def release(file: sqlite3.Connection, lease: Lease) -> None:
    file.execute(
        "UPDATE leases SET instance = NULL WHERE account = ? AND instance = ? AND fence = ?",
        (lease.account, lease.instance, lease.fence),
    )


def pause(file: sqlite3.Connection, account: str, *, paused: bool, by: str) -> None:
    if paused:
        file.execute("INSERT OR REPLACE INTO paused VALUES (?, ?)", (account, by))
    else:
        file.execute("DELETE FROM paused WHERE account = ?", (account,))


def paused(file: sqlite3.Connection, account: str) -> str | None:
    row = file.execute("SELECT paused_by FROM paused WHERE account = ?", (account,)).fetchone()
    return None if row is None else str(row[0])
