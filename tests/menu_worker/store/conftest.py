"""The three stores behind one fixture, all on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from menu_worker.store.base import MenuStore
from menu_worker.store.memory import MemoryMenuStore
from menu_worker.store.redis import RedisMenuStore
from menu_worker.store.sqlite import SqliteMenuStore
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.redis import RedisConnection
from zhongkong.runtime.storage import RedisTarget, parse_store_url

SHOP = "shop"
Open = Callable[[], Awaitable[MenuStore]]


async def redis_store(server: RedisServer, clock: ManualClock | None = None) -> RedisMenuStore:
    target = parse_store_url(server.url, Path())
    assert isinstance(target, RedisTarget)
    return RedisMenuStore(await RedisConnection.open(target), clock=clock)


async def sqlite_store(path: Path, clock: ManualClock) -> SqliteMenuStore:
    return await SqliteMenuStore.open(path, clock=clock)


async def begun(store: MenuStore, text: str = "one", account: str = SHOP) -> int:
    """A revision that was begun; `text` tells it from others."""
    return await store.begin(
        account,
        actor=f"run {text}",
        reason="changed",
        before={"button": []},
        after={"button": [{"type": "click", "name": text, "key": "K"}]},
        fingerprint=f"of {text}",
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "redis"])
async def open_store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Open]:
    """Opens one and the same store of each sort, as often as is wished: a process each."""

    async def opened() -> MenuStore:
        store: MenuStore
        if request.param == "redis":
            store = await redis_store(request.getfixturevalue("redis_server"), clock)
        else:
            store = await sqlite_store(tmp_path / "menus.db", clock)
        open_ones.push_async_callback(store.close)
        return store

    async with AsyncExitStack() as open_ones:
        yield opened


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[MenuStore]:
    """An empty store of each sort."""
    store: MenuStore
    if request.param == "redis":
        store = await redis_store(request.getfixturevalue("redis_server"), clock)
    elif request.param == "sqlite":
        store = await sqlite_store(tmp_path / "menus.db", clock)
    else:
        store = MemoryMenuStore(clock)
    yield store
    await store.close()
