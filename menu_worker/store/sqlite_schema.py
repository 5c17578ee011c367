"""The tables of the menu store in SQLite. Statements on them are in sqlite_rights, sqlite_records.

What is bounded is cut where it is added to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.runtime.storage import StoreUnsupported

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

FORMAT: Final = 1
"""Of a new file's meta, below, too."""

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS meta (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        format INTEGER NOT NULL
    ) STRICT""",
    "INSERT OR IGNORE INTO meta VALUES (1, 1)",
    """CREATE TABLE IF NOT EXISTS claims (
        account TEXT NOT NULL,
        instance TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        claimed_at REAL NOT NULL,
        PRIMARY KEY (account, instance)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS leases (
        account TEXT NOT NULL PRIMARY KEY,
        fence INTEGER NOT NULL, -- of the latest grant; it stays when the lease is given back
        instance TEXT, -- NULL: given back
        until REAL NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS revisions (
        account TEXT NOT NULL,
        id INTEGER NOT NULL, -- grows within the account
        at REAL NOT NULL,
        record BLOB NOT NULL,
        ending TEXT NOT NULL, -- '' until it is known
        PRIMARY KEY (account, id)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS verified (
        account TEXT NOT NULL PRIMARY KEY,
        at REAL NOT NULL,
        record BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS spent (
        account TEXT NOT NULL,
        call TEXT NOT NULL,
        day TEXT NOT NULL, -- the last one on which it was made
        times INTEGER NOT NULL,
        PRIMARY KEY (account, call)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS drifts (
        number INTEGER PRIMARY KEY, -- grows in order of recording
        account TEXT NOT NULL,
        at REAL NOT NULL,
        fingerprint TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS drifts_by_account ON drifts (account, number)",
    """CREATE TABLE IF NOT EXISTS paused (
        account TEXT NOT NULL PRIMARY KEY,
        paused_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StoreUnsupported for a file that a later version made."""
    (found,) = connection.execute("SELECT format FROM meta").fetchone()
    if found > FORMAT:
        raise StoreUnsupported(
            f"{path} has format {found}, this version reads up to {FORMAT}: run the version that "
            "wrote it, or a later one"
        )
