"""Addresses and the stores that they open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer, free_port
from tests.token_service.stores.slots import CLASSIC, refreshed
from token_service.stores.base import TokenStore
from token_service.stores.codec import Sealer
from token_service.stores.memory import MemoryTokenStore
from token_service.stores.open import open_token_store
from token_service.stores.redis import RedisTokenStore
from token_service.stores.sqlite import SqliteTokenStore
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.storage import StoreUnavailable, StoreUrlError


async def opened(url: str, base: Path) -> TokenStore:
    return await open_token_store(
        url, base=base, clock=SystemClock(), randomness=SystemRandomness(), sealer=Sealer()
    )


async def test_memory_is_for_one_process(tmp_path: Path) -> None:
    store = await opened("memory://", tmp_path)
    assert isinstance(store, MemoryTokenStore)
    assert not store.shared


async def test_sqlite_counts_from_the_config_files_folder(tmp_path: Path) -> None:
    store = await opened("sqlite:///var/tokens.db", tmp_path)
    assert isinstance(store, SqliteTokenStore)
    assert not store.shared
    await refreshed(store, "token-1")
    assert (tmp_path / "var" / "tokens.db").exists()
    await store.close()


async def test_redis_is_shared_and_tells_the_time(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    store = await opened(redis_server.url, tmp_path)
    assert isinstance(store, RedisTokenStore)
    assert store.shared
    with redis_server.client() as client:
        seconds, _ = client.time()
    assert (await store.snapshot(CLASSIC)).now >= seconds
    await store.close()


async def test_a_redis_that_is_away_is_no_error_until_it_is_used(tmp_path: Path) -> None:
    store = await opened(f"redis://127.0.0.1:{free_port()}/0", tmp_path)
    with pytest.raises(StoreUnavailable):
        await store.snapshot(CLASSIC)
    await store.close()


async def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUrlError):
        await opened("mysql://root:hunter2@db/tokens", tmp_path)
