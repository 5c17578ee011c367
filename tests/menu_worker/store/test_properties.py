"""Whatever is asked in whatever order: SQLite and Redis answer as memory does."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from menu_worker.store.base import Lease, MenuStore, Outcome
from menu_worker.store.memory import MemoryMenuStore
from tests.fixtures.redis import RedisServer
from tests.menu_worker.store.conftest import begun, redis_store, sqlite_store
from tests.token_service.stores.manual_clock import ManualClock

R = TypeVar("R")

ACCOUNTS = st.sampled_from(["shop", "店"])
INSTANCES = st.sampled_from(["pod-1", "pod-2", "容器"])
FINGERPRINTS = st.sampled_from(["red", "blue", "two words"])
CALLS = st.sampled_from(["/cgi-bin/menu/create", "/cgi-bin/menu/get", "day"])
SECONDS = st.sampled_from([0.25, 1.0, 30.0, 59.75, 60.0, 5000.0, 40_000.0, 86_400.0])

steps = st.one_of(
    st.tuples(st.just("advance"), SECONDS),
    st.tuples(st.just("claim"), ACCOUNTS, INSTANCES, FINGERPRINTS),
    st.tuples(st.just("acquire"), ACCOUNTS, INSTANCES, st.sampled_from([1.0, 30.0, 60.0])),
    st.tuples(st.just("holds"), st.integers(0, 99)),
    st.tuples(st.just("release"), st.integers(0, 99)),
    st.tuples(st.just("begin"), ACCOUNTS, st.text(max_size=3)),
    st.tuples(
        st.just("finish"),
        ACCOUNTS,
        st.integers(0, 4),
        st.sampled_from(Outcome),
        st.text(max_size=3),
    ),
    st.tuples(st.just("verify"), ACCOUNTS, FINGERPRINTS),
    st.tuples(st.just("spend"), ACCOUNTS, CALLS, st.integers(0, 3)),
    st.tuples(st.just("drift"), ACCOUNTS, FINGERPRINTS),
    st.tuples(st.just("pause"), ACCOUNTS, st.booleans(), st.text(max_size=3)),
)


@dataclass
class Side:
    """One store, with the leases that it gave: their fences are each store's own."""

    store: MenuStore
    leases: list[Lease] = field(default_factory=list)

    async def acquire(self, account: str, instance: str, ttl_s: float) -> tuple[int, bool] | None:
        """Which of the leases given it is, and whether its fence is above all of the account."""
        lease = await self.store.acquire(account, instance, ttl_s)
        if lease is None:
            return None
        fences = [each.fence for each in self.leases if each.account == account]
        if lease not in self.leases:
            self.leases.append(lease)
        return self.leases.index(lease), lease.fence >= max(fences, default=0)

    async def holds(self, pick: int) -> bool | None:
        return await self.store.holds(self.picked(pick), 45.0) if self.leases else None

    async def release(self, pick: int) -> None:
        if self.leases:
            await self.store.release(self.picked(pick))

    def picked(self, pick: int) -> Lease:
        return self.leases[pick % len(self.leases)]


CALLED: dict[str, Callable[..., Awaitable[Any]]] = {
    "claim": lambda side, *words: side.store.claim(*words),
    "acquire": lambda side, *words: side.acquire(*words),
    "holds": lambda side, pick: side.holds(pick),
    "release": lambda side, pick: side.release(pick),
    "begin": lambda side, account, text: begun(side.store, text, account),
    "finish": lambda side, *words: side.store.finish(*words),
    "verify": lambda side, account, menu: side.store.set_verified(
        account, menu, {"button": [menu]}
    ),
    "spend": lambda side, *words: side.store.spend(*words),
    "drift": lambda side, *words: side.store.record_drift(*words),
    "pause": lambda side, account, paused, by: side.store.pause(account, paused=paused, by=by),
}


async def told(store: MenuStore, account: str) -> list[Any]:
    """All that can be asked without changing anything."""
    return [
        await store.standing(account),
        list(await store.history(account)),
        list(await store.history(account, limit=2)),
        await store.revision(account, 2),
        await store.verified(account),
        await store.spent(account),
        await store.drifts(account),
        await store.paused(account),
    ]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.slow
@given(plan=st.lists(steps, max_size=40))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_sqlite_and_redis_answer_as_memory_does(
    runner: asyncio.Runner, redis_server: RedisServer, plan: list[tuple[Any, ...]]
) -> None:
    redis_server.flush()
    with tempfile.TemporaryDirectory() as folder:
        runner.run(compare(plan, redis_server, Path(folder) / "menus.db"))


async def compare(plan: list[tuple[Any, ...]], server: RedisServer, path: Path) -> None:
    clock = ManualClock()
    stores: list[MenuStore] = [
        MemoryMenuStore(clock),
        await sqlite_store(path, clock),
        await redis_store(server, clock),
    ]
    sides = [Side(store) for store in stores]
    try:
        for name, *words in plan:
            if name == "advance":
                clock.advance(*words)
                continue
            expected, *got = [await CALLED[name](side, *words) for side in sides]
            assert got == [expected, expected], name
        for account in ("shop", "店"):
            expected, *others = [await told(store, account) for store in stores]
            assert others == [expected, expected]
    finally:
        for store in stores:
            await store.close()
