"""Two stores of whatever sort, with a past worth copying, and the copy from one to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.conftest import KEY, redis_store, sqlite_store
from tests.token_service.stores.manual_clock import START, ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    OTHER,
    SETTLE_S,
    STABLE,
    WINDOW_S,
    begun,
    granted,
    refreshed,
)
from token_service.freeze import stands
from token_service.slot import (
    Abandonment,
    Call,
    Failure,
    FailureKind,
    Refusal,
    Slot,
    SlotState,
    Verdict,
)
from token_service.stores.codec import Sealer
from token_service.stores.copy_hold import End
from token_service.stores.copying import Copied, StoreCopy
from token_service.stores.memory import MemoryTokenStore
from token_service.stores.movable import MovableTokenStore
from zhongkong.runtime.clock import SystemRandomness

SORTS = ["memory", "sqlite", "redis"]
PAIRS = [(source, target) for source in SORTS for target in SORTS]
FLIGHTS_S = 25.0
FAILURE = Failure(FailureKind.OPERATOR, START, START + 600, 3, "wrong secret", 40125)
REFUSAL = Refusal("a", 40164, START, START + 60, "192.0.2.1")


class World:
    """Two stores of whatever sort, and the copy from one to the other."""

    def __init__(self, source: MovableTokenStore, target: MovableTokenStore) -> None:
        self.source, self.target = source, target
        self.clock = ManualClock()

    def copy(self, name: str = "copy-1", to: str = "the new one") -> StoreCopy:
        source, target = End(self.source, "the old one"), End(self.target, to)
        return StoreCopy(source, target, name=name, flights_s=FLIGHTS_S, clock=self.clock)

    async def run(self, name: str = "copy-1") -> Copied:
        return await self.copy(name).run()

    async def source_is_frozen(self) -> bool:
        return stands(*await self.source.freeze_read())

    async def target_is_frozen(self) -> bool:
        return stands(*await self.target.freeze_read())


@asynccontextmanager
async def opened_world(
    request: pytest.FixtureRequest, folder: Path, clock: ManualClock
) -> AsyncIterator[World]:
    """Between the pair of sorts that the test asks for, else in memory."""
    sorts = getattr(request, "param", ("memory", "memory"))
    stores = [await _opened(request, sort, n, folder, clock) for n, sort in enumerate(sorts)]
    world = World(stores[0], stores[1])
    world.clock = clock
    yield world
    for store in stores:
        await store.close()


async def _opened(
    request: pytest.FixtureRequest, sort: str, number: int, folder: Path, clock: ManualClock
) -> MovableTokenStore:
    if sort == "memory":
        return MemoryTokenStore(clock, SystemRandomness())
    if sort == "sqlite":
        return await sqlite_store(folder / f"{number}.db", clock, Sealer([KEY]))
    server = request.getfixturevalue("redis_server")
    assert isinstance(server, RedisServer)
    url = server.url.removesuffix("/0") + f"/{number}"
    return await redis_store(url, clock, Sealer([KEY]))


async def a_past(store: MovableTokenStore) -> None:
    """Something of everything that a store can hold."""
    await refreshed(store, "token-1", floor=40)
    doubtful = await granted(store)
    intent = await begun(store, doubtful.lease)
    unknown = Abandonment(sent=True, unknown=True, failure=FAILURE, refusal=REFUSAL)
    await store.abandon(CLASSIC, doubtful.lease, intent, unknown, settle_s=SETTLE_S)
    dead = await refreshed(store, "token-2", slot=STABLE, call=Call.FORCED)
    probe, _ = await store.claim_probe(STABLE, dead.version, window_s=WINDOW_S)
    await store.settle_probe(STABLE, probe, Verdict.DEAD)
    failed = await granted(store, slot=OTHER)
    intent = await begun(store, failed.lease, slot=OTHER, call=Call.NORMAL)
    ending = Abandonment(sent=True, unknown=False, failure=FAILURE)
    await store.abandon(OTHER, failed.lease, intent, ending, settle_s=SETTLE_S)
    await store.revoke("orders", START + 0.123456789)


async def state_of(store: MovableTokenStore, slot: Slot = CLASSIC) -> SlotState:
    return (await store.snapshot(slot)).state
