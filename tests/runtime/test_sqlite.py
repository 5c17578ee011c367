from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.fixtures.processes import Child
from zhongkong.runtime import sqlite as subject, sqlite_file
from zhongkong.runtime.sqlite import SqliteWriter
from zhongkong.runtime.storage import AlreadyRunning, StoreUnavailable, StoreUnusable

SCHEMA = ("CREATE TABLE IF NOT EXISTS entry (name TEXT PRIMARY KEY, number INTEGER NOT NULL)",)


def put(name: str, number: int = 1) -> Callable[[sqlite3.Connection], int]:
    def work(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO entry VALUES (?, ?)", (name, number))
        return number

    return work


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM entry ORDER BY name")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a" / "b" / "x.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[SqliteWriter]:
    opened = await SqliteWriter.open(path, SCHEMA)
    yield opened
    await opened.close()


class Gate:
    """A work that holds the writer thread until it is let go, so that others pile up behind it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, _connection: sqlite3.Connection) -> None:
        self.reached.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


async def test_a_result_comes_back_after_the_commit(writer: SqliteWriter, path: Path) -> None:
    assert await writer.transact(put("a", 7)) == 7
    with sqlite3.connect(path) as other:
        assert names(other) == ["a"]
    other.close()


async def test_an_exception_undoes_its_own_work_and_no_other(writer: SqliteWriter) -> None:
    def spoiled(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO entry VALUES ('spoiled', 1)")
        raise KeyError("refused")

    gate = Gate()
    waiting = [
        asyncio.ensure_future(writer.transact(work)) for work in (gate, put("a"), spoiled, put("b"))
    ]
    await asyncio.sleep(0)
    gate.open()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results[2], KeyError)
    assert await writer.transact(names) == ["a", "b"]


async def test_an_error_of_the_statement_belongs_to_its_caller(writer: SqliteWriter) -> None:
    await writer.transact(put("a"))
    with pytest.raises(sqlite3.IntegrityError):
        await writer.transact(put("a"))
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await writer.transact(lambda connection: connection.execute("SELECT * FROM missing"))
    assert await writer.transact(names) == ["a"]


async def test_even_an_odd_exception_leaves_the_writer_alive(writer: SqliteWriter) -> None:
    def odd(_connection: sqlite3.Connection) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await writer.transact(odd)
    assert await writer.transact(names) == []


async def test_works_that_wait_together_share_one_commit(writer: SqliteWriter) -> None:
    statements: list[str] = []
    await writer.transact(lambda connection: connection.set_trace_callback(statements.append))
    gate = Gate()
    held = asyncio.ensure_future(writer.transact(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    statements.clear()
    waiting = [asyncio.ensure_future(writer.transact(put(f"{i}"))) for i in range(50)]
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(held, *waiting)
    assert statements.count("BEGIN IMMEDIATE") == 1


async def test_a_cancelled_caller_does_not_break_the_batch(writer: SqliteWriter) -> None:
    gate = Gate()
    tasks = [asyncio.ensure_future(writer.transact(work)) for work in (gate, put("a"), put("b"))]
    await asyncio.to_thread(gate.reached.wait, 10)
    tasks[1].cancel()
    await asyncio.wait({tasks[1]})
    gate.open()
    assert await tasks[2] == 1
    assert tasks[1].cancelled()
    assert "b" in await writer.transact(names)


async def test_a_work_that_nobody_waits_for_any_more_is_not_started(writer: SqliteWriter) -> None:
    gate = Gate()
    held = asyncio.ensure_future(writer.transact(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    task = asyncio.ensure_future(writer.transact(put("a")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    gate.open()
    await held
    assert await writer.transact(names) == []


async def test_a_full_queue_refuses_instead_of_growing(
    writer: SqliteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "QUEUE_LIMIT", 2)
    gate = Gate()
    held = [asyncio.ensure_future(writer.transact(work)) for work in (gate, names)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="can't keep up"):
        await writer.transact(names)
    gate.open()
    await asyncio.gather(*held)
    assert await writer.transact(names) == []


async def test_a_disk_that_hangs_is_given_up_after_a_while(
    writer: SqliteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "TIMEOUT_S", 0.05)
    gate = Gate()
    with pytest.raises(StoreUnavailable, match="did not answer"):
        await writer.transact(gate)
    gate.open()
    monkeypatch.setattr(subject, "TIMEOUT_S", 10.0)
    assert await writer.transact(names) == []


async def test_close_finishes_what_is_queued(path: Path) -> None:
    writer = await SqliteWriter.open(path, SCHEMA)
    gate = Gate()
    held = [asyncio.ensure_future(writer.transact(work)) for work in (gate, put("a"))]
    await asyncio.to_thread(gate.reached.wait, 10)
    closing = asyncio.ensure_future(writer.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="closed"):
        await writer.transact(names)
    gate.open()
    await asyncio.gather(closing, *held)
    again = await SqliteWriter.open(path, SCHEMA)
    assert await again.transact(names) == ["a"]
    await again.close()
    await again.close()


async def test_a_second_process_on_the_file_is_refused_by_name(path: Path) -> None:
    code = (
        "import asyncio, pathlib, signal\n"
        "from zhongkong.runtime.sqlite import SqliteWriter\n"
        "async def main():\n"
        f"    await SqliteWriter.open(pathlib.Path({str(path)!r}), [])\n"
        "    print('holding', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    child = Child([sys.executable, "-c", code])
    try:
        await asyncio.to_thread(child.wait_for_line, "holding")
        with pytest.raises(AlreadyRunning) as refusal:
            await SqliteWriter.open(path, SCHEMA)
        assert str(path) in str(refusal.value)
        assert f"pid {child.pid}" in str(refusal.value)
        assert "stop that one" in str(refusal.value)
    finally:
        child.kill()
    freed = await SqliteWriter.open(path, SCHEMA)
    assert await freed.transact(names) == []
    await freed.close()


async def test_shared_writers_take_no_lock(writer: SqliteWriter, path: Path) -> None:
    shared = await SqliteWriter.open(path, SCHEMA, exclusive=False)
    await shared.transact(put("a"))
    assert await writer.transact(names) == ["a"]
    await shared.close()


def locked(path: Path) -> sqlite3.Connection:
    """The file, as another process holds it that is writing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_another_process_that_writes_is_waited_for(writer: SqliteWriter, path: Path) -> None:
    asked = threading.Semaphore(0)
    await writer.transact(
        lambda connection: connection.set_trace_callback(
            lambda text: asked.release() if text == "BEGIN IMMEDIATE" else None
        )
    )
    other = locked(path)
    waiting = asyncio.ensure_future(writer.transact(put("a")))
    for _ in range(5):
        assert await asyncio.to_thread(asked.acquire, timeout=10)
    assert not waiting.done()
    other.execute("COMMIT")
    assert await waiting == 1
    other.close()


async def test_a_file_that_another_process_is_just_making_is_waited_for(path: Path) -> None:
    path.parent.mkdir(parents=True)
    other = locked(path)
    opening = asyncio.ensure_future(SqliteWriter.open(path, SCHEMA, exclusive=False))
    await asyncio.wait({opening}, timeout=0.1)
    other.execute("COMMIT")
    other.close()
    opened = await opening
    assert await opened.transact(names) == []
    await opened.close()


async def test_a_process_that_keeps_the_file_locked_is_named(
    writer: SqliteWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.1)
    other = locked(path)
    with pytest.raises(StoreUnavailable, match="another process has kept the file locked"):
        await writer.transact(put("a"))
    other.close()
    assert await writer.transact(put("a")) == 1


async def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "new" / "deep" / "x.db"
        writer = await SqliteWriter.open(path, SCHEMA)
        await writer.transact(put("a"))
    finally:
        os.umask(before)
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    await writer.close()
    assert modes == dict.fromkeys(("x.db", "x.db-wal", "x.db-shm", "x.db.lock"), 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"this is a text, not a database" * 100, id="another kind of file"),
        pytest.param(None, id="a damaged page"),
    ],
)
async def test_a_damaged_file_is_refused_at_open_with_the_remedy(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "x.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute(SCHEMA[0])
            connection.executemany(
                "INSERT INTO entry VALUES (?, 1)", [(f"{i:0200}",) for i in range(200)]
            )
        connection.close()
        sound = path.read_bytes()
        content = sound[:8192] + b"\xff" * 8192 + sound[16384:]
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match="damaged") as refusal:
        await SqliteWriter.open(path, SCHEMA)
    assert str(path) in str(refusal.value)
    assert "restore" in str(refusal.value)


async def test_a_place_that_cannot_be_made_is_refused_at_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnusable, match="can't be opened"):
        await SqliteWriter.open(tmp_path / "file" / "x.db", SCHEMA)


async def test_a_full_disk_fails_the_whole_batch_and_heals_by_itself(writer: SqliteWriter) -> None:
    """max_page_count makes SQLite report a full disk; a new connection starts without it."""
    await writer.transact(put("a"))
    await writer.transact(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    gate = Gate()
    blob = "x" * 100_000
    tasks = [asyncio.ensure_future(writer.transact(w)) for w in (gate, put("b"), put(blob))]
    await asyncio.to_thread(gate.reached.wait, 10)
    gate.open()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[2], StoreUnavailable)
    assert "disk is full" in str(results[2])
    assert await writer.transact(put("c")) == 1
    assert "a" in await writer.transact(names)


async def test_a_read_only_file_is_unavailable_and_comes_back(writer: SqliteWriter) -> None:
    await writer.transact(lambda connection: connection.execute("PRAGMA query_only = 1"))
    with pytest.raises(StoreUnavailable, match="read-only"):
        await writer.transact(put("a"))
    assert await writer.transact(put("a")) == 1


async def test_a_file_that_was_removed_is_made_anew_rather_than_written_into_the_void(
    writer: SqliteWriter, path: Path
) -> None:
    await writer.transact(put("a"))
    for file in path.parent.glob("x.db*"):
        if file.suffix != ".lock":
            file.unlink()
    await writer.transact(put("b"))
    assert path.exists()
    assert await writer.transact(names) == ["b"]


async def test_a_missing_disk_is_unavailable_until_it_is_back(
    writer: SqliteWriter, path: Path
) -> None:
    await writer.transact(put("a"))
    away = path.parent.with_name("away")
    path.parent.rename(away)
    path.parent.write_text("no folder here")
    with pytest.raises(StoreUnavailable):
        await writer.transact(put("b"))
    path.parent.unlink()
    away.rename(path.parent)
    await writer.transact(put("b"))
    assert await writer.transact(names) == ["a", "b"]


def test_it_works_the_same_under_uvloop(path: Path) -> None:
    import uvloop

    async def main() -> list[str]:
        writer = await SqliteWriter.open(path, SCHEMA)
        await asyncio.gather(*(writer.transact(put(f"{i}")) for i in range(8)))
        found = await writer.transact(names)
        await writer.close()
        return found

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert len(runner.run(main())) == 8
