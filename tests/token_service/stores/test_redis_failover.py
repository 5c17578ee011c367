"""A failover that loses the last writes: the server goes back in time, and we must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures.sentinel import RedisSentinel
from tests.token_service.stores.conftest import KEY
from tests.token_service.stores.slots import CLASSIC, granted, refreshed
from token_service.slot import Grant
from token_service.stores.base import TokenStore
from token_service.stores.codec import Sealer
from token_service.stores.open import open_token_store
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable


def stop_replication(pair: RedisSentinel) -> None:
    """What is written from here on will be lost with the master."""
    pair.await_replica()
    with pair.master.client() as client:
        assert client.wait(1, 5000) == 1
        client.execute_command("ACL", "SETUSER", "default", "-psync", "-sync")
        client.execute_command("CLIENT", "KILL", "TYPE", "replica")


@pytest.fixture
async def store(redis_sentinel: RedisSentinel) -> AsyncIterator[TokenStore]:
    store = await open_token_store(
        redis_sentinel.url,
        base=Path(),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        sealer=Sealer([KEY]),
    )
    yield store
    await store.close()


async def granted_in_the_end(store: TokenStore, holder: str, floor: int) -> Grant:
    async with asyncio.timeout(20):
        while True:
            try:
                return await granted(store, holder, floor=floor)
            except StoreUnavailable:
                await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_after_a_failover_that_lost_writes_fences_still_grow_and_readers_are_told(
    store: TokenStore, redis_sentinel: RedisSentinel
) -> None:
    kept = await refreshed(store, "token-1")
    await asyncio.to_thread(stop_replication, redis_sentinel)
    lost = await refreshed(store, "token-2")
    late = (await granted(store)).lease
    cursor = (await store.changes(None, wait_s=0)).cursor
    await asyncio.to_thread(redis_sentinel.kill_master, in_step=False)

    grant = await granted_in_the_end(store, "b", floor=late.fence.counter)
    assert grant.snapshot.state.record == kept
    assert grant.lease.fence.generation == late.fence.generation
    assert grant.lease.fence.counter > late.fence.counter

    for _ in range(10):  # more changes than were lost, so that no count of them shows the loss
        await granted(store, "b")
    assert (await store.changes(cursor, wait_s=5)).reset
    assert not await store.commit(CLASSIC, late, replace(lost, fence=late.fence))
    assert await store.restore(CLASSIC, lost, ())
