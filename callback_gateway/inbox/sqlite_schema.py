"""The tables of the inbox in SQLite: what the columns mean, what the indexes are for.

Statements on them are in sqlite_arrivals, sqlite_deliveries, sqlite_letters and sqlite_upkeep.
Counters follow their rows by triggers, so that no statement can forget them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.runtime.storage import StoreUnsupported

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

FORMAT: Final = 1
"""Of a new file's meta, below, too."""

_TABLES = (
    """CREATE TABLE IF NOT EXISTS meta (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        format INTEGER NOT NULL,
        held INTEGER NOT NULL -- undelivered events and dead letters, which the limit bounds
    ) STRICT""",
    "INSERT OR IGNORE INTO meta VALUES (1, 1, 0)",
    """CREATE TABLE IF NOT EXISTS targets (
        target TEXT NOT NULL PRIMARY KEY,
        deliveries INTEGER NOT NULL,
        dead INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS events (
        number INTEGER PRIMARY KEY, -- grows in order of acceptance
        id TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL,
        tries INTEGER NOT NULL,
        reply_state TEXT NOT NULL,
        accepted_at REAL NOT NULL,
        standing INTEGER NOT NULL, -- how many deliveries stand
        reply BLOB,
        document BLOB -- while deliveries stand
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS deliveries (
        event INTEGER NOT NULL,
        target TEXT NOT NULL,
        kind TEXT NOT NULL,
        due REAL NOT NULL, -- when it may be leased next: a lease's end, too
        lease TEXT,
        failures INTEGER NOT NULL,
        cut_off INTEGER NOT NULL,
        attempts BLOB NOT NULL,
        reply_until REAL,
        marks TEXT NOT NULL,
        PRIMARY KEY (event, target, kind)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS dead_letters (
        position INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: pages go by it
        id TEXT NOT NULL UNIQUE,
        event_id TEXT NOT NULL,
        account TEXT NOT NULL,
        target TEXT NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        died_at REAL NOT NULL,
        accepted_at REAL NOT NULL,
        attempts BLOB NOT NULL,
        document BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS stamps (
        proof TEXT NOT NULL PRIMARY KEY,
        body TEXT NOT NULL,
        seen_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS disabled (
        target TEXT NOT NULL PRIMARY KEY,
        fingerprint TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)

_INDEXES = (
    # What is due, the longest due first.
    "CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (target, due, event, kind)",
    # Counts the few that are leased, and finds them after a restart.
    """CREATE INDEX IF NOT EXISTS deliveries_leased ON deliveries (target, due)
        WHERE lease IS NOT NULL""",
    # What `purge` looks for.
    "CREATE INDEX IF NOT EXISTS events_over ON events (accepted_at) WHERE standing = 0",
    "CREATE INDEX IF NOT EXISTS stamps_by_age ON stamps (seen_at)",
    "CREATE INDEX IF NOT EXISTS dead_letters_by_age ON dead_letters (died_at)",
    # Selections; the position is the end of every index.
    "CREATE INDEX IF NOT EXISTS dead_letters_by_target ON dead_letters (target)",
    "CREATE INDEX IF NOT EXISTS dead_letters_by_account ON dead_letters (account)",
)

_COUNTERS = (
    """CREATE TRIGGER IF NOT EXISTS event_added AFTER INSERT ON events WHEN new.standing > 0
        BEGIN UPDATE meta SET held = held + 1; END""",
    """CREATE TRIGGER IF NOT EXISTS event_over AFTER UPDATE OF standing ON events
        WHEN old.standing > 0 AND new.standing = 0
        BEGIN UPDATE meta SET held = held - 1; END""",
    """CREATE TRIGGER IF NOT EXISTS event_revived AFTER UPDATE OF standing ON events
        WHEN old.standing = 0 AND new.standing > 0
        BEGIN UPDATE meta SET held = held + 1; END""",
    """CREATE TRIGGER IF NOT EXISTS delivery_added AFTER INSERT ON deliveries BEGIN
        INSERT INTO targets VALUES (new.target, 1, 0)
        ON CONFLICT (target) DO UPDATE SET deliveries = deliveries + 1; END""",
    """CREATE TRIGGER IF NOT EXISTS delivery_over AFTER DELETE ON deliveries BEGIN
        UPDATE targets SET deliveries = deliveries - 1 WHERE target = old.target; END""",
    """CREATE TRIGGER IF NOT EXISTS dead_letter_added AFTER INSERT ON dead_letters BEGIN
        UPDATE meta SET held = held + 1;
        INSERT INTO targets VALUES (new.target, 0, 1)
        ON CONFLICT (target) DO UPDATE SET dead = dead + 1; END""",
    """CREATE TRIGGER IF NOT EXISTS dead_letter_gone AFTER DELETE ON dead_letters BEGIN
        UPDATE meta SET held = held - 1;
        UPDATE targets SET dead = dead - 1 WHERE target = old.target; END""",
)

SCHEMA: Final = (*_TABLES, *_INDEXES, *_COUNTERS)


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StoreUnsupported for a file that a later version made."""
    (found,) = connection.execute("SELECT format FROM meta").fetchone()
    if found > FORMAT:
        raise StoreUnsupported(
            f"{path} has format {found}, this version reads up to {FORMAT}: run the version that "
            "wrote it, or a later one"
        )


def void_leases(connection: sqlite3.Connection, now: float) -> None:
    """What a dead process had leased is due at once and was cut off; what waits keeps its time."""
    connection.execute(
        "UPDATE deliveries SET lease = NULL, cut_off = cut_off + 1, due = min(due, ?) "
        "WHERE lease IS NOT NULL",
        (now,),
    )
