"""One SQLite file: its folder, its lock, its connection, and what its errors mean.

Who writes to it, and when, is in sqlite.py. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Literal, Self

from zhongkong.runtime.storage import (
    AlreadyRunning,
    StoreUnavailable,
    StoreUnsupported,
    StoreUnusable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Synchronous = Literal["FULL", "NORMAL"]

BUSY_S = 5.0
"""So long another process is waited for."""
_ROUND_S = 0.02
"""SQLite asks after 1, 2, 5 and 10 ms of it. In longer rounds it comes to ask every 100 ms, and
misses the short gaps that a busy process leaves."""
_PAUSE_S = 0.001
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_CHECKED_WHOLE_BYTES = 16 * 1024 * 1024

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TROUBLE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an I/O error",
    sqlite3.SQLITE_READONLY: "the file or its disk is read-only",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened",
    sqlite3.SQLITE_PERM: "access to the file is denied",
    sqlite3.SQLITE_BUSY: "another process has kept the file locked",
    sqlite3.SQLITE_LOCKED: "another process has kept the file locked",
    sqlite3.SQLITE_PROTOCOL: "the file system's locks don't work",
    sqlite3.SQLITE_NOMEM: "memory is short",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database",
}


class FileLock:
    """The right to be the one process on a file, held until `release` or the process's end.

    The kernel frees it when the process dies, however it dies. The lock file stays where it is:
    removing it would let two processes lock two files of one name.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, database: Path) -> Self:
        """Lock `<database>.lock` and write our pid into it.

        Raises AlreadyRunning, or StoreUnusable where the file can't be made or locked.
        """
        path = database.with_name(database.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = _pid_in(descriptor)
            os.close(descriptor)
            raise AlreadyRunning(
                f"{database} is in use by another running process ({holder}); stop that one, "
                "or give this one a `store` of its own (several replicas need redis://)"
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """May be repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _pid_in(descriptor: int) -> str:
    text = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    return f"pid {text}" if text.isdigit() else "its pid is not known yet"


def make_place(database: Path) -> None:
    """Make the missing folders (0700) and the file (0600), whatever the umask; keep what exists.

    SQLite gives its -wal and -shm files the mode of the database. Raises StoreUnusable.
    """
    for folder in reversed([*database.parents]):
        if not folder.exists():
            folder.mkdir(_FOLDER_MODE, exist_ok=True)
            folder.chmod(_FOLDER_MODE)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        os.fchmod(descriptor, _FILE_MODE)
        os.close(descriptor)


def connect(database: Path, schema: Sequence[str], synchronous: Synchronous) -> sqlite3.Connection:
    """Open the file in WAL mode, with the schema applied; for the calling thread alone.

    Raises StoreUnusable, StoreUnsupported or StoreUnavailable.
    """
    try:
        make_place(database)
        connection = sqlite3.connect(
            database, timeout=_ROUND_S, isolation_level=None, cached_statements=256
        )
    except OSError as error:
        raise StoreUnusable(f"{database} can't be opened: {error.strerror}") from error
    except sqlite3.Error as error:
        raise unavailable(error, database) from error
    try:
        _prepare(connection, database, schema, synchronous)
    except sqlite3.Error as error:
        connection.close()
        raise unavailable(error, database) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(
    connection: sqlite3.Connection, database: Path, schema: Sequence[str], synchronous: Synchronous
) -> None:
    (journal,) = _patiently(connection, "PRAGMA journal_mode = WAL").fetchone()
    if journal != "wal":
        raise StoreUnsupported(
            f"{database} is on a file system without shared memory (SQLite's WAL mode needs it); "
            "put it on a local disk, or use redis://"
        )
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    # Undoing one work of a batch would otherwise spill to a temporary file.
    connection.execute("PRAGMA temp_store = MEMORY")
    if database.stat().st_size <= _CHECKED_WHOLE_BYTES:
        (verdict,) = _patiently(connection, "PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise _damaged(database)
    begin(connection)
    for statement in schema:
        connection.execute(statement)
    connection.execute("COMMIT")


def begin(connection: sqlite3.Connection) -> None:
    """Begin to write, once no other process does. Raises sqlite3.OperationalError after BUSY_S."""
    _patiently(connection, "BEGIN IMMEDIATE")


def _patiently(connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
    """Where two processes open one file at once, SQLite refuses one of them without any wait."""
    rounds = math.ceil(BUSY_S / _ROUND_S)
    while True:
        try:
            return connection.execute(statement)
        except sqlite3.OperationalError as error:
            rounds -= 1
            if rounds <= 0 or _code(error) != sqlite3.SQLITE_BUSY:
                raise
        time.sleep(_PAUSE_S)  # noqa: TID251 - in a thread that may block, as SQLite itself does


def is_trouble(error: BaseException) -> bool:
    """True for what comes from the disk or the file, false for what comes from the statement."""
    return isinstance(error, sqlite3.Error) and _code(error) in _TROUBLE


def unavailable(error: sqlite3.Error, database: Path) -> StoreUnavailable:
    """Say in the operator's words what an error of SQLite means."""
    if _code(error) in _DAMAGED:
        return _damaged(database)
    reason = _TROUBLE.get(_code(error), f"SQLite says: {error}")
    return StoreUnavailable(f"{database} can't be written: {reason}")


def _damaged(database: Path) -> StoreUnusable:
    return StoreUnusable(
        f"{database} is damaged or is not a SQLite database; stop the service, then restore the "
        "file from a backup, or move it away together with its -wal and -shm files to start empty"
    )


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; 0 when Python raised the error itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
