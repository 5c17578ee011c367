"""Addresses and the stores that they open."""

from __future__ import annotations

from pathlib import Path

import pytest

from menu_worker.store.memory import MemoryMenuStore
from menu_worker.store.open import open_menu_store
from menu_worker.store.redis import RedisMenuStore
from menu_worker.store.sqlite import SqliteMenuStore
from tests.fixtures.redis import RedisServer, free_port
from tests.menu_worker.store.conftest import SHOP
from zhongkong.runtime.clock import SystemClock
from zhongkong.runtime.storage import StoreUnavailable, StoreUrlError


async def test_memory_is_for_one_process(tmp_path: Path) -> None:
    store = await open_menu_store("memory://", base=tmp_path, clock=SystemClock())
    assert isinstance(store, MemoryMenuStore)


async def test_sqlite_counts_from_the_config_files_folder(tmp_path: Path) -> None:
    url = "sqlite:///var/menus.db"
    store = await open_menu_store(url, base=tmp_path, clock=SystemClock())
    assert isinstance(store, SqliteMenuStore)
    assert (tmp_path / "var" / "menus.db").exists()
    second = await open_menu_store(url, base=tmp_path, clock=SystemClock())
    await second.close()
    await store.close()


async def test_redis_is_opened_by_its_address(tmp_path: Path, redis_server: RedisServer) -> None:
    store = await open_menu_store(redis_server.url, base=tmp_path, clock=SystemClock())
    assert isinstance(store, RedisMenuStore)
    await store.close()


async def test_a_redis_that_is_away_is_no_error_until_it_is_used(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    store = await open_menu_store(url, base=tmp_path, clock=SystemClock())
    with pytest.raises(StoreUnavailable):
        await store.standing(SHOP)
    await store.close()


async def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUrlError):
        await open_menu_store("mysql://root:x@db/menus", base=tmp_path, clock=SystemClock())
