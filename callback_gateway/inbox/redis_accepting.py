"""Taking arrivals in: one script a shard for a whole batch, in one trip to a single server.

How full the inbox is, over all shards, is counted once a second, and at each batch when it is
nearly full. Other replicas may fill it in between: then it holds a little more than its limit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from callback_gateway.inbox import redis_rows
from callback_gateway.inbox.records import REPLY_LEASE_S
from callback_gateway.inbox.redis_life import Fullness
from callback_gateway.inbox.redis_scripts import ACCEPT, COUNT
from callback_gateway.inbox.redis_shards import SHARDS, by_shard
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from callback_gateway.inbox.promise import Promise
    from callback_gateway.inbox.records import Accepted, Arrival, Keeping
    from callback_gateway.inbox.redis_shards import Shards
    from zhongkong.runtime.clock import Randomness
    from zhongkong.runtime.redis import Synced
    from zhongkong.runtime.redis_wire import Word

_LIFE_BYTES: Final = 8


class Accepting:
    """One process's way of taking arrivals in."""

    def __init__(
        self,
        shards: Shards,
        randomness: Randomness,
        keeping: Keeping,
        promise: Promise | None,
        *,
        heard: Callable[[int], None],
    ) -> None:
        """`heard` is told of the shards that took something."""
        self._shards = shards
        self._randomness = randomness
        self._keeping = keeping
        self._promise = promise
        self._heard = heard
        self._fullness = Fullness(keeping.limit, SHARDS)

    async def accept(self, arrivals: Sequence[Arrival], name: str) -> list[Accepted]:
        """Take them in, and lease the replies of the new ones under a name."""
        try:
            synced = None if self._promise is None else await self._promise.synced()
            return await self._accept(arrivals, name, synced)
        except StoreUnavailable:
            if self._promise is not None:
                self._promise.doubt()
            raise

    async def _accept(
        self, arrivals: Sequence[Arrival], name: str, synced: Synced | None
    ) -> list[Accepted]:
        await self._count(len(arrivals))
        places = by_shard(range(len(arrivals)), [each.account for each in arrivals])
        told: dict[int, Accepted] = {}
        if len(places) > 1 and self._fullness.is_near(len(arrivals)):
            # One after the other, each knows how much room those before it took.
            for shard, at in places.items():
                told |= await self._accept_in({shard: at}, arrivals, name, synced)
        elif places:
            told = await self._accept_in(places, arrivals, name, synced)
        return [told[place] for place in range(len(arrivals))]

    async def _count(self, arriving: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._fullness.needs_counting(now, arriving):
            for shard, (_, held) in (await self._shards.on_all(COUNT)).items():
                self._fullness.hear(shard, held)
            self._fullness.counted(now)

    async def _accept_in(
        self,
        places: Mapping[int, Sequence[int]],
        arrivals: Sequence[Arrival],
        name: str,
        synced: Synced | None,
    ) -> dict[int, Accepted]:
        """Take in the arrivals at these places, by shard."""
        words = {
            shard: self._words(shard, [arrivals[place] for place in at], name)
            for shard, at in places.items()
        }
        told: dict[int, Accepted] = {}
        answers = await self._shards.on_each(ACCEPT, words, synced=synced)
        for shard, (now, (held, verdicts)) in answers.items():
            self._fullness.hear(shard, held)
            self._heard(shard)
            for place, verdict in zip(places[shard], verdicts, strict=True):
                told[place] = redis_rows.accepted(arrivals[place], verdict, name, now)
        return told

    def _words(self, shard: int, arrivals: Sequence[Arrival], name: str) -> list[Word]:
        keeping = self._keeping
        return [
            *(name, self._randomness.token(_LIFE_BYTES), self._fullness.room_of(shard)),
            *(keeping.retention_s, keeping.stamp_s, REPLY_LEASE_S),
            redis_rows.targets_of(arrivals),
            *redis_rows.arrival_words(arrivals),
        ]
