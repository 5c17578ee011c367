"""The one writer of a SQLite file: a thread, a bounded queue, and group commit.

Works that wait together share one transaction (sqlite_commit.py). What they do, and the schema,
belong to the stores; files and locks are in sqlite_file.py.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.sqlite_commit import GroupCommit, Outcome, Work
from zhongkong.runtime.sqlite_file import FileLock, Synchronous, make_place
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import StoreUnavailable, StoreUnusable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

QUEUE_LIMIT = 4096
BATCH_LIMIT = 256
TIMEOUT_S = 10.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class _Queued:
    work: Work
    future: asyncio.Future[Any]


class SqliteWriter:
    """Runs functions on the one connection to a file, in the order in which they came."""

    def __init__(
        self, path: Path, schema: Sequence[str], synchronous: Synchronous, lock: FileLock | None
    ) -> None:
        """Use `open`."""
        self._path = path
        self._lock = lock
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._pending = 0
        self._closed = False
        self._ended = asyncio.Event()
        self._file = GroupCommit(path, schema, synchronous)
        self._thread = threading.Thread(target=self._serve, name=f"sqlite-{path.name}", daemon=True)

    @classmethod
    async def open(
        cls,
        path: Path,
        schema: Sequence[str],
        *,
        exclusive: bool = True,
        synchronous: Synchronous = "FULL",
    ) -> Self:
        """Open or make the file; `schema` are statements that may be repeated.

        Missing folders are made 0700, the files 0600. With `exclusive`, a second process is
        refused with AlreadyRunning until this one closes or dies. `synchronous` FULL survives a
        power failure, NORMAL a crash of this process. Raises StoreUnusable or StoreUnsupported.
        """
        lock = await asyncio.to_thread(_claim, path) if exclusive else None
        writer = cls(path, schema, synchronous, lock)
        writer._thread.start()
        try:
            await writer.transact(_nothing)
        except BaseException as error:
            await writer.close()
            if isinstance(error, StoreUnavailable) and not isinstance(error, CannotStart):
                raise StoreUnusable(str(error)) from error
            raise
        return writer

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the writer thread and return its result once it is committed.

        An exception of `work` undoes what `work` did, nothing else, and is raised here. `work`
        must not commit, nor keep the connection. Raises StoreUnavailable on disk trouble, a full
        queue, after TIMEOUT_S or after `close`; whether it took effect is then unknown, as it is
        when the caller is cancelled. The file is opened anew by the next call.
        """
        if self._closed:
            raise StoreUnavailable(f"{self._path} is closed")
        if self._pending >= QUEUE_LIMIT:
            raise StoreUnavailable(f"{self._path} can't keep up: {QUEUE_LIMIT} writes are waiting")
        future: asyncio.Future[T] = self._loop.create_future()
        self._pending += 1
        self._queue.put(_Queued(work, future))
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await future
        except TimeoutError:
            if not future.cancelled():
                raise
            raise StoreUnavailable(f"{self._path} did not answer within {TIMEOUT_S:g} s") from None

    async def close(self) -> None:
        """Finish what is queued, close the file, give up the lock. May be repeated.

        Waits at most TIMEOUT_S for a disk that hangs; the lock then falls with the process.
        """
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._ended.wait()
        except TimeoutError:
            log.error("sqlite_close_timed_out", path=str(self._path), timeout_s=TIMEOUT_S)
            return
        if self._lock is not None:
            self._lock.release()

    # -- the writer thread ---------------------------------------------------------------------

    def _serve(self) -> None:
        more = True
        while more:
            batch, more = self._collect()
            # What nobody waits for any more need not happen.
            works = [_nothing if queued.future.cancelled() else queued.work for queued in batch]
            if works:
                outcomes = self._file.commit(works)
                self._tell(self._settle, list(zip(batch, outcomes, strict=True)))
        self._file.close()
        self._tell(self._ended.set)

    def _collect(self) -> tuple[list[_Queued], bool]:
        """Wait for one work and take all that wait with it; False when `close` was among them."""
        batch: list[_Queued] = []
        work = self._queue.get()
        while work is not None:
            batch.append(work)
            if len(batch) == BATCH_LIMIT:
                return batch, True
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _tell(self, callback: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            log.warning("sqlite_loop_gone", path=str(self._path))

    # -- back on the loop ----------------------------------------------------------------------

    def _settle(self, outcomes: Sequence[tuple[_Queued, Outcome]]) -> None:
        self._pending -= len(outcomes)
        for queued, outcome in outcomes:
            if queued.future.done():
                continue
            if outcome.error is None:
                queued.future.set_result(outcome.value)
            else:
                queued.future.set_exception(outcome.error)


def _claim(path: Path) -> FileLock:
    try:
        make_place(path)
        return FileLock.take(path)
    except OSError as error:
        raise StoreUnusable(f"{path} can't be opened: {error.strerror}") from error


def _nothing(connection: sqlite3.Connection) -> None:
    """Touch the file, so that `open` tells what is wrong with it."""
