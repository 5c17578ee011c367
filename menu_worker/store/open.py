"""Which menu store an address means. What it keeps, and how, is each store's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menu_worker.store.memory import MemoryMenuStore
from zhongkong.runtime.storage import MemoryTarget, SqliteTarget, parse_store_url

if TYPE_CHECKING:
    from pathlib import Path

    from menu_worker.store.base import MenuStore
    from zhongkong.runtime.clock import Clock


async def open_menu_store(url: str, *, base: Path, clock: Clock) -> MenuStore:
    """Open the menu store at a `store:` address; relative paths count from `base`.

    A Redis that is away is no error: its store raises StoreUnavailable until it is there, and its
    time is Redis's own. Raises StoreUrlError, StoreUnusable, StoreUnsupported, StoreUnavailable.
    """
    target = parse_store_url(url, base)
    if isinstance(target, MemoryTarget):
        return MemoryMenuStore(clock)
    if isinstance(target, SqliteTarget):
        from menu_worker.store.sqlite import SqliteMenuStore  # noqa: PLC0415 - see below

        return await SqliteMenuStore.open(target.path, clock=clock)
    # Loading the Redis client takes a good part of the start of a process that may not need it.
    from menu_worker.store.redis import RedisMenuStore  # noqa: PLC0415
    from zhongkong.runtime.redis import RedisConnection  # noqa: PLC0415

    return RedisMenuStore(await RedisConnection.open(target))
