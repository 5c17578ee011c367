"""The three stores behind one fixture, all on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock
from token_service.stores.codec import Sealer
from token_service.stores.memory import MemoryTokenStore
from token_service.stores.movable import MovableTokenStore
from token_service.stores.redis import RedisTokenStore
from token_service.stores.sqlite import SqliteTokenStore
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.redis import RedisConnection
from zhongkong.runtime.storage import RedisTarget, parse_store_url

KEY = "a key that only these tests know, and long enough"


async def redis_store(url: str, clock: ManualClock, sealer: Sealer) -> RedisTokenStore:
    target = parse_store_url(url, Path())
    assert isinstance(target, RedisTarget)
    return RedisTokenStore(
        await RedisConnection.open(target),
        clock=clock,
        randomness=SystemRandomness(),
        sealer=sealer,
        time_from=clock,
    )


async def sqlite_store(path: Path, clock: ManualClock, sealer: Sealer) -> SqliteTokenStore:
    return await SqliteTokenStore.open(
        path, clock=clock, randomness=SystemRandomness(), sealer=sealer
    )


class Place:
    """One store's place, which can be opened with one set of keys after another."""

    def __init__(self, address: RedisServer | Path | None, clock: ManualClock) -> None:
        self._address = address
        self._clock = clock
        self._store: MovableTokenStore | None = None

    async def open(self, *keys: str) -> MovableTokenStore:
        """Close the store that was open here, as a restart does, and open it again."""
        await self.close()
        sealer = Sealer(keys)
        if isinstance(self._address, RedisServer):
            self._store = await redis_store(self._address.url, self._clock, sealer)
        elif isinstance(self._address, Path):
            self._store = await sqlite_store(self._address, self._clock, sealer)
        else:
            self._store = MemoryTokenStore(self._clock, SystemRandomness())
        return self._store

    async def close(self) -> None:
        if self._store is not None:
            await self._store.close()

    def content(self) -> bytes:
        """Return all that is kept here, as whoever steals it would see it."""
        if isinstance(self._address, RedisServer):
            with self._address.client() as client:
                hashes = [key for key in client.scan_iter() if client.type(key) == b"hash"]
                return b"\n".join(value for key in hashes for value in client.hvals(key))
        assert self._address is not None
        files = sorted(self._address.parent.glob(f"{self._address.name}*"))
        return b"\n".join(file.read_bytes() for file in files)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[MovableTokenStore]:
    """An empty store of each sort, with encryption where the sort has it."""
    place = Place(_address(request, tmp_path), clock)
    yield await place.open(KEY)
    await place.close()


@pytest.fixture(params=["sqlite", "redis"])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Place]:
    """An empty place of each sort that outlives a process."""
    place = Place(_address(request, tmp_path), clock)
    yield place
    await place.close()


def _address(request: pytest.FixtureRequest, tmp_path: Path) -> RedisServer | Path | None:
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        assert isinstance(server, RedisServer)
        return server
    return tmp_path / "tokens.db" if request.param == "sqlite" else None
