"""What only the SQLite store does: one process at a time, and leases that die with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.token_service.stores.conftest import KEY, sqlite_store
from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import CLASSIC, OTHER, begun, granted, refreshed
from token_service.slot import Changes
from token_service.stores.codec import Sealer, UnreadableRecord
from zhongkong.runtime.storage import AlreadyRunning, StoreUnavailable

SEALER = Sealer([KEY])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "tokens.db"


def change_file(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_a_second_process_on_the_file_is_refused(path: Path, clock: ManualClock) -> None:
    store = await sqlite_store(path, clock, SEALER)
    with pytest.raises(AlreadyRunning):
        await sqlite_store(path, clock, SEALER)
    await store.close()


async def test_a_restart_need_not_wait_for_a_dead_lease(path: Path, clock: ManualClock) -> None:
    store = await sqlite_store(path, clock, SEALER)
    intent = await begun(store, (await granted(store, "dead")).lease)
    await store.close()
    store = await sqlite_store(path, clock, SEALER)
    grant = await granted(store, "new")
    assert grant.lease.fence.counter == 2
    assert grant.snapshot.state.intents == (intent,)
    await store.close()


async def test_dead_leases_are_dropped_without_the_key(path: Path, clock: ManualClock) -> None:
    store = await sqlite_store(path, clock, SEALER)
    await refreshed(store, "token-1")
    await granted(store, "dead")
    await store.close()
    await (await sqlite_store(path, clock, Sealer())).close()
    store = await sqlite_store(path, clock, SEALER)
    assert (await store.snapshot(CLASSIC)).state.lease is None
    await store.close()


async def test_a_damaged_slot_is_reported_and_leaves_the_others_alone(
    path: Path, clock: ManualClock
) -> None:
    store = await sqlite_store(path, clock, SEALER)
    await granted(store)
    record = await refreshed(store, "token-1", slot=OTHER)
    await store.close()
    change_file(path, f"UPDATE slots SET doc = x'7b' WHERE appid = '{CLASSIC.appid}'")
    store = await sqlite_store(path, clock, SEALER)
    with pytest.raises(UnreadableRecord, match="is damaged"):
        await store.snapshot(CLASSIC)
    assert (await store.snapshot(OTHER)).state.record == record
    await store.close()


async def test_slots_of_a_later_version_are_passed_over(path: Path, clock: ManualClock) -> None:
    store = await sqlite_store(path, clock, SEALER)
    cursor = (await store.changes(None, wait_s=0)).cursor
    await granted(store)
    await store.close()
    change_file(path, "UPDATE slots SET kind = 'kind_of_tomorrow'")
    store = await sqlite_store(path, clock, SEALER)
    assert (await store.changes(cursor, wait_s=0)).slots == frozenset()
    await store.close()


async def test_a_file_that_was_taken_away_is_another_generation(
    path: Path, clock: ManualClock
) -> None:
    store = await sqlite_store(path, clock, SEALER)
    await refreshed(store, "token-1")
    lost = (await store.snapshot(CLASSIC)).state
    cursor = (await store.changes(None, wait_s=0)).cursor
    for file in path.parent.glob("tokens.db*"):
        if file.suffix != ".lock":
            file.unlink()
    clock.advance(60)
    found = (await store.snapshot(CLASSIC)).state
    assert (found.record, found.born_at) == (None, clock.now())
    assert found.generation != lost.generation
    seen = await store.changes(cursor, wait_s=5)
    assert seen == Changes(seen.cursor, frozenset(), reset=True)
    await store.close()


async def test_a_closed_store_is_away(path: Path, clock: ManualClock) -> None:
    store = await sqlite_store(path, clock, SEALER)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.snapshot(CLASSIC)
