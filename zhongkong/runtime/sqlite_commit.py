"""Several works, one transaction, one fsync: each in a savepoint, all opened anew after trouble.

Belongs to one thread, and blocks. Who waits for it is in sqlite.py, what errors mean in
sqlite_file.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.sqlite_file import Synchronous, begin, connect, is_trouble, unavailable
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Work = Callable[[sqlite3.Connection], Any]

log = get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a work: its value, or the error to raise."""

    value: Any = None
    error: BaseException | None = None


class GroupCommit:
    """The connection to a file, and the transactions on it."""

    def __init__(self, path: Path, schema: Sequence[str], synchronous: Synchronous) -> None:
        self._path = path
        self._schema = tuple(schema)
        self._synchronous = synchronous
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def commit(self, works: Sequence[Work]) -> list[Outcome]:
        """Run the works in order; return what came of each, once it is committed.

        What fails as a whole fails for all of them, and the next call opens the file anew.
        """
        try:
            connection = self._connected()
            begin(connection)
            outcomes = [self._run(connection, work) for work in works]
            connection.execute("COMMIT")
        except StoreUnavailable as error:
            failure = error
        except sqlite3.Error as error:
            failure = unavailable(error, self._path)
        except Exception as error:
            # The outer frame of the writer thread: it must live, and the file is opened anew.
            log.exception("sqlite_batch_failed", path=str(self._path))
            failure = StoreUnavailable(f"{self._path}: {type(error).__name__}")
        else:
            return outcomes
        self.close()
        # Even a work that was refused gets this answer: it may have seen what is now undone.
        return [Outcome(error=type(failure)(*failure.args)) for _ in works]

    def _run(self, connection: sqlite3.Connection, work: Work) -> Outcome:
        connection.execute("SAVEPOINT work")
        try:
            value = work(connection)
        except BaseException as error:
            if is_trouble(error):
                raise
            connection.execute("ROLLBACK TO work")
            connection.execute("RELEASE work")
            if isinstance(error, StopIteration):  # which a future refuses to carry
                return Outcome(error=RuntimeError("the work raised StopIteration"))
            return Outcome(error=error)
        connection.execute("RELEASE work")
        return Outcome(value)

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, opened anew after trouble or when the file was replaced."""
        if self._connection is not None and not self._is_in_place():
            log.warning("sqlite_file_replaced", path=str(self._path))
            self.close()
        if self._connection is None:
            self._connection = connect(self._path, self._schema, self._synchronous)
            self._inode = self._path.stat().st_ino
        return self._connection

    def _is_in_place(self) -> bool:
        """SQLite would go on writing to a file that was deleted or moved away."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """May be repeated; `commit` opens the file again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                log.warning("sqlite_close_failed", path=str(self._path), error=str(error))
