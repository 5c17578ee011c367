"""The fixed shards of the Redis token store: which keys they have, and the freeze of each.

A store is frozen shard by shard, each in one script. A slot's own part is in redis.py.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from token_service.freeze import is_news
from token_service.stores.codec import decode_freeze, encode_freeze
from token_service.stores.redis_scripts import FREEZE, FROZEN
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.freeze import Freeze
    from token_service.slot import Slot
    from token_service.stores.movable import FreezeRule
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.redis import RedisConnection

SHARDS = 16
SWAP_TRIES = 20
CHANGES_KEPT = 4096
"""Per shard. A reader that is further behind is told to read everything again."""

_JITTER_S = 0.002


def shard_of(slot: Slot) -> int:
    """The fixed shard of an account: all its slots are in one."""
    return zlib.crc32(slot.appid.encode()) % SHARDS


def keys_of(shard: int) -> list[str]:
    return [f"zk:ts:{{{shard}}}:slots", f"zk:ts:{{{shard}}}:changes"]


class Freezes:
    """The freezes of all shards; `time` is what scripts are told, '' for the server's own."""

    def __init__(
        self,
        connection: RedisConnection,
        clock: Clock,
        randomness: Randomness,
        time: Callable[[], str],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._randomness = randomness
        self._time = time

    async def read(self) -> tuple[Freeze | None, float]:
        """The freeze of a shard that has one, a sealed one before others; the server's time."""
        found: list[Freeze] = []
        now = 0.0
        for shard in range(SHARDS):
            freeze, now, _ = await self._read(shard)
            found += [] if freeze is None else [freeze]
        found.sort(key=lambda freeze: not freeze.sealed)
        return (found[0] if found else None), now

    async def update(self, rule: FreezeRule) -> bool:
        """Shard by shard in their order, so that of two copies at once one is refused at once."""
        for shard in range(SHARDS):
            if not await self._update(shard, rule):
                return False
        return True

    async def _update(self, shard: int, rule: FreezeRule) -> bool:
        for attempt in range(SWAP_TRIES):
            before, now, document = await self._read(shard)
            after, done = rule(before, now)
            if after == before or await self._swap(shard, document, before, after):
                return done
            await pause(attempt, self._clock, self._randomness)
        raise contended(f"the freeze of shard {shard}")

    async def _read(self, shard: int) -> tuple[Freeze | None, float, bytes]:
        now, document = await self._connection.run(
            FROZEN, keys_of(shard), [self._time(), self._randomness.token(8)]
        )
        return decode_freeze(document), float(now), document

    async def _swap(
        self, shard: int, document: bytes, before: Freeze | None, after: Freeze | None
    ) -> bool:
        swapped = await self._connection.run(
            FREEZE,
            keys_of(shard),
            [document, encode_freeze(after), "1" if is_news(before, after) else "", CHANGES_KEPT],
        )
        return bool(swapped)


async def pause(attempt: int, clock: Clock, randomness: Randomness) -> None:
    """Before what others overtook is tried again."""
    await clock.sleep(randomness.uniform(0, _JITTER_S * (attempt + 1)))


def contended(what: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{what} was changed by others at each of {SWAP_TRIES} tries to change it: "
        "nothing was written"
    )
