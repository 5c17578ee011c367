"""What only a shared Redis meets: replicas, the loss of its memory, and clusters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.conftest import KEY, redis_store
from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import CLASSIC, LEASE_S, OTHER, STABLE, granted, refreshed
from token_service.slot import Kind, Mode, Slot
from token_service.stores.codec import Sealer
from token_service.stores.open import open_token_store
from token_service.stores.redis import RedisTokenStore
from token_service.stores.redis_shards import SHARDS, keys_of, shard_of
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable

SEALER = Sealer([KEY])


async def replica(url: str) -> RedisTokenStore:
    """A store as a replica has it: on real clocks."""
    store = await open_token_store(
        url, base=Path(), clock=SystemClock(), randomness=SystemRandomness(), sealer=SEALER
    )
    assert isinstance(store, RedisTokenStore)
    return store


@pytest.fixture
async def pair(redis_server: RedisServer) -> AsyncIterator[tuple[RedisTokenStore, RedisTokenStore]]:
    pair = await replica(redis_server.url), await replica(redis_server.url)
    yield pair
    for store in pair:
        await store.close()


@pytest.fixture
async def store(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisTokenStore]:
    store = await redis_store(redis_server.url, clock, SEALER)
    yield store
    await store.close()


@pytest.fixture
async def clustered(redis_cluster: RedisServer) -> AsyncIterator[RedisTokenStore]:
    store = await replica(f"redis+cluster://{redis_cluster.host}:{redis_cluster.port}")
    yield store
    await store.close()


async def test_a_replica_sees_anothers_change_within_a_second(
    pair: tuple[RedisTokenStore, RedisTokenStore],
) -> None:
    writer, reader = pair
    for slot in (CLASSIC, OTHER):
        await reader.snapshot(slot)
    cursor = (await reader.changes(None, wait_s=0)).cursor
    async with asyncio.TaskGroup() as group:
        seen = group.create_task(reader.changes(cursor, wait_s=1.0))
        record = await refreshed(writer, "token-1", slot=OTHER)
    assert OTHER in seen.result().slots
    assert (await reader.snapshot(OTHER)).state.record == record


async def test_replicas_that_ask_at_once_share_one_grant(
    pair: tuple[RedisTokenStore, RedisTokenStore],
) -> None:
    grants = await asyncio.gather(
        *(
            store.acquire(CLASSIC, f"{n} of {name}", floor=0, ttl_s=LEASE_S)
            for n in range(50)
            for name, store in enumerate(pair)
        )
    )
    assert sum(grant is not None for grant in grants) == 1


async def test_of_many_changes_by_two_replicas_none_is_lost(
    pair: tuple[RedisTokenStore, RedisTokenStore],
) -> None:
    grants = await asyncio.gather(*(granted(store, "a") for store in pair for _ in range(20)))
    assert {grant.lease.fence.counter for grant in grants} == set(range(1, 41))


async def test_a_slot_that_never_stands_still_is_given_up(
    store: RedisTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await granted(store)
    read = store._read

    async def overtaken(slot: Slot) -> object:
        return replace(await read(slot), document=b"what stood there before")

    monkeypatch.setattr(store, "_read", overtaken)
    with pytest.raises(StoreUnavailable, match="20 tries"):
        await granted(store)


async def test_an_emptied_redis_begins_another_generation(
    store: RedisTokenStore, redis_server: RedisServer, clock: ManualClock
) -> None:
    await refreshed(store, "token-1")
    lost = (await store.snapshot(CLASSIC)).state
    redis_server.flush()
    clock.advance(60)
    found = (await store.snapshot(CLASSIC)).state
    assert found.generation != lost.generation
    assert (found.record, found.counter, found.born_at) == (None, 0, clock.now())


async def test_an_emptied_redis_resets_the_feed(
    store: RedisTokenStore, redis_server: RedisServer
) -> None:
    await granted(store)
    cursor = (await store.changes(None, wait_s=0)).cursor
    redis_server.flush()
    seen = await store.changes(cursor, wait_s=5)
    assert seen.reset
    assert not (await store.changes(seen.cursor, wait_s=0)).reset


async def test_a_commit_from_before_the_emptying_is_refused(
    store: RedisTokenStore, redis_server: RedisServer
) -> None:
    record = await refreshed(store, "token-1")
    lease = (await granted(store, floor=record.fence.counter)).lease
    redis_server.flush()
    fence = (await granted(store, "b", floor=lease.fence.counter)).lease.fence
    assert fence.counter > lease.fence.counter
    assert not await store.commit(CLASSIC, lease, record)


async def test_a_killed_redis_is_away_and_comes_back_without_our_restart(
    store: RedisTokenStore, redis_server: RedisServer
) -> None:
    record = await refreshed(store, "token-1")
    redis_server.kill()
    with pytest.raises(StoreUnavailable):
        await store.snapshot(CLASSIC)
    with pytest.raises(StoreUnavailable):
        await store.changes("", wait_s=1)
    with pytest.raises(StoreUnavailable):
        await store.heartbeat("a", ttl_s=10)
    redis_server.start()
    again = await refreshed(store, "token-2", floor=record.fence.counter)
    assert again.fence.counter > record.fence.counter


async def test_a_lost_feed_is_a_reset_and_goes_on(
    store: RedisTokenStore, redis_server: RedisServer
) -> None:
    await granted(store)
    cursor = (await store.changes(None, wait_s=0)).cursor
    with redis_server.client() as client:
        client.delete(keys_of(shard_of(CLASSIC))[1])
    seen = await store.changes(cursor, wait_s=5)
    assert seen.reset
    await granted(store)
    assert (await store.changes(seen.cursor, wait_s=5)).slots == {CLASSIC}


async def test_a_reader_too_far_behind_is_reset(
    store: RedisTokenStore, redis_server: RedisServer
) -> None:
    await granted(store)
    cursor = (await store.changes(None, wait_s=0)).cursor
    await granted(store)
    with redis_server.client() as client:
        client.xtrim(keys_of(shard_of(CLASSIC))[1], maxlen=1, approximate=False)
    assert (await store.changes(cursor, wait_s=5)).reset


async def test_slot_documents_do_not_expire(
    store: RedisTokenStore, redis_server: RedisServer
) -> None:
    await refreshed(store, "token-1")
    with redis_server.client() as client:
        assert {client.ttl(key) for key in keys_of(shard_of(CLASSIC))} == {-1}


async def test_the_server_is_the_clock_of_every_replica(
    pair: tuple[RedisTokenStore, RedisTokenStore], redis_server: RedisServer
) -> None:
    with redis_server.client() as client:
        before, _ = client.time()
    lease = (await granted(pair[0])).lease
    with redis_server.client() as client:
        after, _ = client.time()
    assert before + LEASE_S <= lease.expires_at <= after + 1 + LEASE_S


async def test_a_cluster_serves_every_shard(clustered: RedisTokenStore) -> None:
    slots = [Slot(f"wx{n:016x}", Kind.ACCESS_TOKEN, Mode.STABLE) for n in range(100)]
    assert {shard_of(slot) for slot in slots} == set(range(SHARDS))
    for slot in slots:
        await refreshed(clustered, "token-1", slot=slot)
    seen = await clustered.changes(None, wait_s=0)
    await granted(clustered, slot=slots[7])
    assert (await clustered.changes(seen.cursor, wait_s=1)).slots == {slots[7]}
    assert await clustered.heartbeat("a", ttl_s=10) == {"a"}


def test_an_accounts_slots_share_a_shard() -> None:
    assert shard_of(CLASSIC) == shard_of(STABLE)
    assert keys_of(3) == ["zk:ts:{3}:slots", "zk:ts:{3}:changes"]
