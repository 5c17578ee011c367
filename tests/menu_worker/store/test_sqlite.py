"""What only the SQLite store meets: other processes on its file, and the file's fate."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from menu_worker.store.base import Claim
from menu_worker.store.codec import UnreadableRecord
from menu_worker.store.sqlite import SqliteMenuStore
from tests.fixtures.processes import Child
from tests.menu_worker.store.conftest import SHOP, begun, sqlite_store
from tests.menu_worker.store.second_process import LIMIT
from tests.token_service.stores.manual_clock import START, ManualClock
from zhongkong.runtime.storage import StoreUnavailable, StoreUnsupported, StoreUnusable

ROOT = Path(__file__).parents[3]
PROCESS = "tests.menu_worker.store.second_process"
TIMES = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "menus.db"


@pytest.fixture
async def store(path: Path, clock: ManualClock) -> AsyncIterator[SqliteMenuStore]:
    store = await sqlite_store(path, clock)
    yield store
    await store.close()


def change_file(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def process(path: Path, name: str) -> Child:
    return Child([sys.executable, "-m", PROCESS, str(path), name, str(TIMES)], cwd=ROOT)


def test_processes_on_one_file_share_history_quota_and_fences(path: Path) -> None:
    children = [process(path, name) for name in ("one", "two")]
    assert [child.wait(30) for child in children] == [0, 0], [each.output for each in children]
    seen = [json.loads(child.output.splitlines()[-1]) for child in children]
    revisions = [number for each in seen for number in each["revisions"]]
    assert sorted(revisions) == list(range(1, 2 * TIMES + 1))
    assert sum(each["spent"] for each in seen) == LIMIT
    fences = [fence for each in seen for fence in each["fences"]]
    assert len(fences) == len(set(fences)) >= TIMES
    for each in seen:
        assert all(one < other for one, other in pairwise(each["fences"]))


async def test_a_command_writes_beside_a_running_worker(path: Path, store: SqliteMenuStore) -> None:
    await begun(store, "by the worker")
    child = process(path, "command")
    assert await asyncio.to_thread(child.wait, 30) == 0, child.output
    history = await store.history(SHOP, limit=100)
    assert len(history) == TIMES + 1
    assert history[0].actor == "command"
    assert [claim.instance for claim in (await store.standing(SHOP)).claims] == ["command"]


async def test_files_are_for_their_owner_alone(path: Path, store: SqliteMenuStore) -> None:
    await begun(store)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_was_taken_away_is_begun_anew_and_fences_grow(
    path: Path, store: SqliteMenuStore, clock: ManualClock
) -> None:
    await store.claim(SHOP, "worker", "red")
    number = await begun(store)
    lease = await store.acquire(SHOP, "worker", 60)
    assert lease is not None
    for file in path.parent.iterdir():
        file.unlink()
    clock.advance(1)
    assert not await store.holds(lease, 60)
    again = await store.acquire(SHOP, "worker", 60)
    assert again is not None
    assert again.fence > lease.fence
    assert (await store.claim(SHOP, "worker", "red")).claims == (Claim("worker", "red", START),)
    assert await begun(store) > number


async def test_a_file_that_cant_be_opened_is_away_until_it_can(
    path: Path, store: SqliteMenuStore
) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    path.mkdir()
    with pytest.raises(StoreUnavailable, match=r"menus\.db"):
        await store.standing(SHOP)
    path.rmdir()
    assert (await store.standing(SHOP)).claims == ()


async def test_a_damaged_file_is_refused_at_the_start(path: Path, clock: ManualClock) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database, but long enough to be looked at " * 30)
    with pytest.raises(StoreUnusable, match="damaged"):
        await sqlite_store(path, clock)


async def test_a_file_of_a_later_version_is_refused(path: Path, clock: ManualClock) -> None:
    await (await sqlite_store(path, clock)).close()
    change_file(path, "UPDATE meta SET format = 2")
    with pytest.raises(StoreUnsupported, match="format 2"):
        await sqlite_store(path, clock)


@pytest.mark.parametrize(
    "change",
    ["record = x'7b'", "record = x'7b7d'", "record = x'5b5d'", "ending = 'ended_in_another_way x'"],
)
async def test_a_damaged_revision_is_reported_and_no_other_is_touched(
    path: Path, store: SqliteMenuStore, change: str
) -> None:
    broken, sound = await begun(store), await begun(store)
    change_file(path, f"UPDATE revisions SET {change} WHERE id = {broken}")
    with pytest.raises(UnreadableRecord, match=f"{SHOP} is damaged or was written by a later"):
        await store.revision(SHOP, broken)
    assert await store.revision(SHOP, sound) is not None


async def test_a_damaged_verified_menu_is_reported(path: Path, store: SqliteMenuStore) -> None:
    await store.set_verified(SHOP, "red", {"button": []})
    change_file(path, "UPDATE verified SET record = x'7b7d'")
    with pytest.raises(UnreadableRecord):
        await store.verified(SHOP)


async def test_a_closed_store_is_away(store: SqliteMenuStore) -> None:
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.standing(SHOP)
