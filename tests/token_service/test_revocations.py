"""How a revocation gets around, and that no store can forget it while a replica remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import START, ManualClock
from token_service.opaque import Invalid, OpaqueClaims, OpaqueTokens, Why
from token_service.revocations import SPREADS_WITHIN_S, Revocations
from token_service.stores.codec import Sealer
from token_service.stores.memory import MemoryTokenStore
from token_service.stores.open import open_token_store
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable

VOID_BEFORE = START + SPREADS_WITHIN_S


class Store(MemoryTokenStore):
    """A store that can be away. `looked` tells how often it was read."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, SystemRandomness())
        self.away = False
        self.looked = asyncio.Condition()

    async def revoke(self, client: str, at: float) -> float:
        self._answer()
        return await super().revoke(client, at)

    async def revocations(self) -> Mapping[str, float]:
        async with self.looked:
            self.looked.notify_all()
        self._answer()
        return await super().revocations()

    async def looks(self, times: int = 2) -> None:
        """Wait until all looks that began before this call have ended."""
        async with asyncio.timeout(30), self.looked:
            for _ in range(times):
                await self.looked.wait()

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("the store is away")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Store:
    return Store(clock)


@asynccontextmanager
async def replica(store: Store, clock: ManualClock) -> AsyncIterator[Revocations]:
    revocations = Revocations(store, now=clock.now, clock=clock)
    task = asyncio.ensure_future(revocations.run())
    try:
        await store.looks()
        yield revocations
    finally:
        task.cancel()


async def test_a_revocation_is_in_force_at_once_and_kept(store: Store, clock: ManualClock) -> None:
    async with replica(store, clock) as revocations:
        assert await revocations.revoke("orders") == VOID_BEFORE
        assert revocations.before == {"orders": VOID_BEFORE}
        assert await MemoryTokenStore.revocations(store) == {"orders": VOID_BEFORE}


async def test_another_replica_hears_of_it(store: Store, clock: ManualClock) -> None:
    async with replica(store, clock) as first, replica(store, clock) as second:
        await first.revoke("orders")
        await store.looks(4)
        assert second.before == {"orders": VOID_BEFORE}


async def test_a_restarted_replica_knows_it_once_the_store_was_read(
    store: Store, clock: ManualClock
) -> None:
    await store.revoke("orders", VOID_BEFORE)
    revocations = Revocations(store, now=clock.now, clock=clock)
    assert not revocations.known
    async with replica(store, clock) as revocations:
        assert revocations.known
        assert revocations.before == {"orders": VOID_BEFORE}


async def test_while_the_store_is_away_what_is_known_holds(
    store: Store, clock: ManualClock
) -> None:
    async with replica(store, clock) as revocations:
        await revocations.revoke("orders")
        store.away = True
        await store.looks()
        assert revocations.before == {"orders": VOID_BEFORE}


async def test_a_replica_that_never_saw_the_store_says_so(store: Store, clock: ManualClock) -> None:
    store.away = True
    async with replica(store, clock) as revocations:
        assert not revocations.known
        store.away = False
        await store.looks()
        assert revocations.known


async def test_what_was_revoked_without_a_store_gets_around_later(
    store: Store, clock: ManualClock
) -> None:
    async with replica(store, clock) as first, replica(store, clock) as second:
        store.away = True
        with pytest.raises(StoreUnavailable):
            await first.revoke("orders")
        assert first.before == {"orders": VOID_BEFORE}
        store.away = False
        await store.looks(8)
        assert second.before == {"orders": VOID_BEFORE}


async def test_an_emptied_store_is_given_its_revocations_back(
    store: Store, clock: ManualClock
) -> None:
    async with replica(store, clock) as revocations:
        await revocations.revoke("orders")
        store.empty()
        await store.looks(4)
        assert await MemoryTokenStore.revocations(store) == {"orders": VOID_BEFORE}


async def test_a_store_that_went_back_in_time_takes_nothing_back(
    store: Store, clock: ManualClock
) -> None:
    async with replica(store, clock) as revocations:
        await revocations.revoke("orders")
        store.empty()
        await store.revoke("orders", START - 100)
        await store.looks(4)
        assert revocations.before == {"orders": VOID_BEFORE}
        assert await MemoryTokenStore.revocations(store) == {"orders": VOID_BEFORE}


async def test_before_a_revocation_is_void_and_after_it_is_good(
    store: Store, clock: ManualClock
) -> None:
    """Also where a replica gave out a token before it knew, and its clock was ahead."""
    tokens = OpaqueTokens(["a key that is long enough to be one"])

    def given(now: float, revoked_before: float = 0.0) -> str:
        return tokens.mint(
            "orders",
            "shop",
            "access_token",
            now=now,
            nonce=bytes(16),
            revoked_before=revoked_before,
        )

    async with replica(store, clock) as revocations:
        unaware = [given(clock.now()), given(clock.now() + 1.9)]
        await revocations.revoke("orders")
        aware = given(clock.now(), revocations.before["orders"])
        for text in unaware:
            verdict = tokens.verify(text, clock.now(), revoked_before=revocations.before)
            assert verdict == Invalid(Why.REVOKED)
        verdict = tokens.verify(aware, clock.now(), revoked_before=revocations.before)
        assert isinstance(verdict, OpaqueClaims)


async def test_on_a_shared_redis_a_revocation_is_everywhere_within_a_second(
    redis_server: RedisServer,
) -> None:
    clock = SystemClock()
    stores = [
        await open_token_store(
            redis_server.url,
            base=Path(),
            clock=clock,
            randomness=SystemRandomness(),
            sealer=Sealer(),
        )
        for _ in range(3)
    ]
    replicas = [Revocations(store, now=clock.now, clock=clock) for store in stores]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(replica.run()) for replica in replicas]
        async with asyncio.timeout(30):
            while not all(replica.known for replica in replicas):
                await asyncio.sleep(0.01)
        await replicas[0].revoke("orders")
        for _ in range(99):  # a second of this loop, which a machine that stands still prolongs
            if all("orders" in replica.before for replica in replicas):
                break
            await asyncio.sleep(0.01)
        assert all("orders" in replica.before for replica in replicas)
        for task in tasks:
            task.cancel()
    for store in stores:
        await store.close()
