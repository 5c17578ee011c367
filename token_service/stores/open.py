"""Which store an address means. What it keeps, and how, is each store's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.stores.memory import MemoryTokenStore
from zhongkong.runtime.storage import MemoryTarget, SqliteTarget, parse_store_url

if TYPE_CHECKING:
    from pathlib import Path

    from token_service.stores.codec import Sealer
    from token_service.stores.movable import MovableTokenStore
    from zhongkong.runtime.clock import Clock, Randomness


async def open_token_store(
    url: str, *, base: Path, clock: Clock, randomness: Randomness, sealer: Sealer
) -> MovableTokenStore:
    """Open the token store at a `store:` address; relative paths count from `base`.

    A Redis that is away is no error: its store raises StoreUnavailable until it is there. Raises
    StoreUrlError, AlreadyRunning, StoreUnusable, StoreUnsupported, StoreUnavailable.
    """
    target = parse_store_url(url, base)
    if isinstance(target, MemoryTarget):
        return MemoryTokenStore(clock, randomness, shared=False)
    if isinstance(target, SqliteTarget):
        from token_service.stores.sqlite import SqliteTokenStore  # noqa: PLC0415 - see below

        return await SqliteTokenStore.open(
            target.path, clock=clock, randomness=randomness, sealer=sealer
        )
    # Loading the Redis client takes a good part of the start of a process that may not need it.
    from token_service.stores.redis import RedisTokenStore  # noqa: PLC0415
    from zhongkong.runtime.redis import RedisConnection  # noqa: PLC0415

    connection = await RedisConnection.open(target)
    return RedisTokenStore(connection, clock=clock, randomness=randomness, sealer=sealer)
