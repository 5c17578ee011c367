"""The freeze of a store, as each sort of store keeps it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.conftest import KEY, Place, redis_store, sqlite_store
from tests.token_service.stores.manual_clock import START, ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    LEASE_S,
    OTHER,
    STABLE,
    begun,
    granted,
    minted,
    refreshed,
)
from token_service.freeze import HOLD_S, Freeze, Way
from token_service.slot import Kind, Mode, Slot
from token_service.stores.codec import Sealer, UnreadableRecord
from token_service.stores.movable import MovableTokenStore
from token_service.stores.redis_shards import SHARDS, keys_of, shard_of

ELSEWHERE = "redis://elsewhere:6379/0"
OUT = Freeze("copy-1", Way.OUT, ELSEWHERE, START, START + HOLD_S)
FAR = Slot("wx0000000000000009", Kind.JSAPI_TICKET, Mode.STABLE)


async def freeze(store: MovableTokenStore, copy: str = "copy-1", way: Way = Way.OUT) -> bool:
    return await store.freeze(copy, way, ELSEWHERE)


async def may_mint(store: MovableTokenStore, slot: Slot = CLASSIC) -> bool:
    grant = await store.acquire(slot, "somebody", floor=0, ttl_s=LEASE_S)
    if grant is not None:
        await store.release(slot, grant.lease)
    return grant is not None


async def test_a_store_is_not_frozen_at_first(store: MovableTokenStore) -> None:
    assert await store.freeze_read() == (None, START)
    assert await store.slots() == frozenset()


async def test_all_slots_are_named_whatever_their_kind(store: MovableTokenStore) -> None:
    for slot in (CLASSIC, STABLE, OTHER, FAR):
        await granted(store, slot=slot)
    assert await store.slots() == {CLASSIC, STABLE, OTHER, FAR}


async def test_a_freeze_holds_for_every_slot_known_or_not(store: MovableTokenStore) -> None:
    await refreshed(store, "token-1")
    assert await freeze(store)
    assert await store.freeze_read() == (OUT, START)
    for slot in (CLASSIC, FAR):
        assert (await store.snapshot(slot)).state.frozen == OUT
        assert not await may_mint(store, slot)


async def test_a_thaw_lets_all_go_on(store: MovableTokenStore) -> None:
    record = await refreshed(store, "token-1")
    await freeze(store)
    await store.take_back()
    state = (await store.snapshot(CLASSIC)).state
    assert (state.record, state.frozen) == (record, None)
    assert await may_mint(store)
    assert await may_mint(store, FAR)


async def test_a_freeze_ends_by_itself_unless_it_is_sealed(
    store: MovableTokenStore, clock: ManualClock
) -> None:
    await freeze(store)
    clock.advance(HOLD_S)
    assert await may_mint(store)
    await freeze(store)
    assert await store.seal("copy-1")
    clock.advance(HOLD_S * 1000)
    assert not await may_mint(store)


async def test_a_freeze_that_ended_can_neither_be_prolonged_nor_sealed(
    store: MovableTokenStore, clock: ManualClock
) -> None:
    await freeze(store)
    clock.advance(HOLD_S)
    assert not await store.prolong("copy-1")
    assert not await store.seal("copy-1")
    assert await may_mint(store)


async def test_of_two_copies_at_once_one_is_refused_and_leaves_no_trace(
    store: MovableTokenStore,
) -> None:
    done = await asyncio.gather(freeze(store, "copy-1"), freeze(store, "copy-2"))
    assert sorted(done) == [False, True]
    winner = f"copy-{done.index(True) + 1}"
    found, _ = await store.freeze_read()
    assert found is not None
    assert found.copy == winner
    await store.thaw(winner)
    for slot in (CLASSIC, OTHER, FAR):
        assert await may_mint(store, slot)


async def test_who_flies_when_the_freeze_comes_may_land(store: MovableTokenStore) -> None:
    lease = (await granted(store)).lease
    await freeze(store)
    intent = await begun(store, lease)
    record = minted(lease, intent, "token-1")
    assert await store.commit(CLASSIC, lease, record)
    assert (await store.snapshot(CLASSIC)).state.record == record


@pytest.mark.parametrize("way", list(Way))
async def test_what_may_have_been_minted_elsewhere_is_in_doubt_after_a_thaw(
    store: MovableTokenStore, clock: ManualClock, way: Way
) -> None:
    await refreshed(store, "token-1")
    await granted(store, slot=FAR)
    await freeze(store, way=way)
    await store.seal("copy-1")
    clock.advance(HOLD_S)
    lifted = await store.take_back()
    assert lifted is not None
    assert (lifted.copy, lifted.at) == ("copy-1", START)
    (intent,) = (await store.snapshot(CLASSIC)).state.intents
    assert (intent.sent_at, intent.lands_before) == (START, START + HOLD_S)
    assert (await store.snapshot(FAR)).state.intents == ()
    assert await store.take_back() is None


async def test_a_thaw_before_anything_was_copied_leaves_no_doubt(store: MovableTokenStore) -> None:
    await refreshed(store, "token-1")
    await freeze(store)
    assert await store.take_back() == OUT
    assert (await store.snapshot(CLASSIC)).state.intents == ()


async def test_a_slot_that_cannot_be_read_keeps_no_store_frozen(place: Place) -> None:
    store = await place.open(KEY)
    await refreshed(store, "token-1")
    await freeze(store)
    await store.seal("copy-1")
    store = await place.open()
    assert await store.take_back() is not None
    assert await may_mint(store, OTHER)


async def test_a_freeze_and_a_thaw_are_told_for_every_slot(store: MovableTokenStore) -> None:
    for slot in (CLASSIC, OTHER):
        await refreshed(store, "token", slot=slot)
    for change in (lambda: freeze(store), store.take_back):
        cursor = (await store.changes(None, wait_s=0)).cursor
        await change()
        seen = await store.changes(cursor, wait_s=1)
        assert (set(seen.slots), seen.reset) == ({CLASSIC, OTHER}, False)


async def test_a_reader_that_waits_hears_of_a_freeze(store: MovableTokenStore) -> None:
    await refreshed(store, "token-1")
    cursor = (await store.changes(None, wait_s=0)).cursor
    waiting = asyncio.ensure_future(store.changes(cursor, wait_s=5))
    await asyncio.sleep(0)
    await freeze(store)
    assert (await waiting).slots == {CLASSIC}


async def test_prolonging_is_no_change(store: MovableTokenStore) -> None:
    await refreshed(store, "token-1")
    await freeze(store)
    cursor = (await store.changes(None, wait_s=0)).cursor
    await store.prolong("copy-1")
    assert (await store.changes(cursor, wait_s=0)).slots == frozenset()


async def test_a_slot_is_filled_by_the_copy_that_holds_the_store_alone(
    store: MovableTokenStore,
) -> None:
    await freeze(store, way=Way.IN)
    given = (await store.snapshot(OTHER)).state
    assert await store.take_over(OTHER, given, "copy-2") is None
    assert await store.slots() == frozenset()
    filled = await store.take_over(OTHER, given, "copy-1")
    assert filled == (await store.snapshot(OTHER)).state


async def test_a_freeze_survives_a_restart_and_needs_no_key(place: Place) -> None:
    store = await place.open(KEY)
    await freeze(store)
    await store.seal("copy-1")
    store = await place.open()
    freeze_found, _ = await store.freeze_read()
    assert freeze_found is not None
    assert freeze_found.sealed
    assert not await may_mint(store)


async def test_a_file_from_before_there_was_a_freeze_is_taken_over(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "tokens.db"
    await (await sqlite_store(path, clock, Sealer())).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE freeze")
    connection.close()
    store = await sqlite_store(path, clock, Sealer())
    assert await may_mint(store)
    assert await freeze(store)
    await store.close()


async def test_a_file_with_a_slot_of_a_later_version_is_not_read_as_if_it_were_whole(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "tokens.db"
    store = await sqlite_store(path, clock, Sealer())
    await refreshed(store, "token-1")
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE slots SET kind = 'component_token'")
    connection.commit()
    connection.close()
    store = await sqlite_store(path, clock, Sealer())
    with pytest.raises(UnreadableRecord, match="component_token"):
        await store.slots()
    await store.close()


async def test_nor_is_a_redis_with_such_a_slot(
    redis_server: RedisServer, clock: ManualClock
) -> None:
    store = await redis_store(redis_server.url, clock, Sealer())
    name = f"{CLASSIC}/component"
    with redis_server.client() as client:
        client.hset(keys_of(shard_of(CLASSIC))[0], name, b"{}")
    with pytest.raises(UnreadableRecord, match=f"holds {name}, of which only a later version"):
        await store.slots()
    await store.close()


@pytest.mark.parametrize("damage", [b"{", b'{"copy": 5}'])
async def test_a_damaged_freeze_stands(
    redis_server: RedisServer, clock: ManualClock, damage: bytes
) -> None:
    store = await redis_store(redis_server.url, clock, Sealer())
    with redis_server.client() as client:
        client.hset(keys_of(shard_of(CLASSIC))[0], "freeze", damage)
    with pytest.raises(UnreadableRecord, match="mark of a copy"):
        await may_mint(store)
    await store.close()


async def test_every_replica_is_frozen_in_every_shard(
    redis_server: RedisServer, clock: ManualClock
) -> None:
    first, second = [await redis_store(redis_server.url, clock, Sealer()) for _ in range(2)]
    await freeze(first)
    slots = [Slot(f"wx{n:016x}", Kind.ACCESS_TOKEN, Mode.STABLE) for n in range(64)]
    assert {shard_of(slot) for slot in slots} == set(range(SHARDS))
    assert not any([await may_mint(second, slot) for slot in slots])
    await second.take_back()
    assert all([await may_mint(first, slot) for slot in slots])
    for store in (first, second):
        await store.close()


async def test_a_grant_that_was_decided_before_the_freeze_is_refused_after_it(
    redis_server: RedisServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a replica's reading and its writing lies the freeze of another one."""
    first, second = [await redis_store(redis_server.url, clock, Sealer()) for _ in range(2)]
    read = first._read

    async def overtaken(slot: Slot) -> object:
        reading = await read(slot)
        await freeze(second)
        return reading

    monkeypatch.setattr(first, "_read", overtaken)
    assert await first.acquire(CLASSIC, "a", floor=0, ttl_s=LEASE_S) is None
    for store in (first, second):
        await store.close()
