"""The inbox in Redis, for many replicas. Keys and Lua are in redis_scripts.

Every method is one script on each shard that it concerns; which shards those are, and what their
answers tell of the store, is in redis_shards. A Redis that is emptied or fails over needs no
restart: what is missing is passed over, counted and told of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.inbox import codec, redis_depth, redis_rows
from callback_gateway.inbox.records import NOTIFY_LEASE_S, REPLY_LEASE_S
from callback_gateway.inbox.redis_accepting import Accepting
from callback_gateway.inbox.redis_leasing import Leasing
from callback_gateway.inbox.redis_letters import Letters
from callback_gateway.inbox.redis_scripts import (
    DEPTH,
    DISABLE,
    DISABLED,
    ENABLE,
    HASTEN,
    JOIN,
    NEXT_DUE,
    PURGE,
    RENEW,
    SETTLE,
)
from callback_gateway.inbox.redis_shards import SHARDS, Shards, by_shard, shard_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from callback_gateway.inbox.promise import Promise
    from callback_gateway.inbox.records import (
        Accepted,
        Arrival,
        Delivery,
        Depth,
        Joined,
        Keeping,
        Page,
        Selection,
        Settlement,
    )
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.redis import RedisConnection
    from zhongkong.runtime.redis_wire import Word

SLICE: Final = 500
"""What one script hastens or forgets."""

_LIFE_BYTES: Final = 8


class RedisInbox:
    """The store's clock is Redis's own, unless `clock` stands in for it."""

    def __init__(
        self,
        connection: RedisConnection,
        *,
        randomness: Randomness,
        keeping: Keeping,
        clock: Clock | None = None,
        promise: Promise | None = None,
        observer: StoreObserver | None = None,
    ) -> None:
        """Take over the connection: `close` closes it. `promise`: what `durability` asks for."""
        self._shards = Shards(connection, clock, observer)
        self._randomness = randomness
        self._keeping = keeping
        self._leasing = Leasing(self._shards)
        self._accepting = Accepting(
            self._shards, randomness, keeping, promise, heard=self._leasing.warm
        )
        self._letters = Letters(self._shards)

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        return await self._accepting.accept(arrivals, self._lease_name(owner))

    async def join(self, account: str, event_id: str, *, owner: str) -> Joined:
        words = (account, event_id, self._lease_name(owner), REPLY_LEASE_S)
        now, answer = await self._shards.on(shard_of(account), JOIN, words)
        return redis_rows.joined(answer, now)

    async def lease(self, wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        return await self._leasing.lease(wanted, self._lease_name(owner))

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        sorted_out = by_shard(deliveries, [each.account for each in deliveries])
        words = {
            shard: [
                *(NOTIFY_LEASE_S, REPLY_LEASE_S),
                *(word for each in those for word in redis_rows.lease_words(each)),
            ]
            for shard, those in sorted_out.items()
        }
        if not words:
            return []
        answers = await self._shards.on_each(RENEW, words)
        return [
            sorted_out[shard][place] for shard, (_, places) in answers.items() for place in places
        ]

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        words: dict[int, list[Word]] = {}
        for each in settlements:
            of_shard = words.setdefault(
                shard_of(each.delivery.account), [self._keeping.retention_s]
            )
            of_shard += redis_rows.settlement_words(each)
        if words:
            await self._shards.on_each(SETTLE, words)

    async def next_due_in(self, targets: Sequence[str]) -> float | None:
        if not targets:
            return None
        answers = await self._shards.on_all(NEXT_DUE, *targets)
        due = [float(first) - now for now, first in answers.values() if first is not None]
        return max(0.0, min(due)) if due else None

    async def hasten(self, target: str) -> int:
        hastened = 0
        shards = set(range(SHARDS))
        while shards:
            answers = await self._shards.on_each(HASTEN, dict.fromkeys(shards, (target, SLICE)))
            shards = {shard for shard, (_, count) in answers.items() if count == SLICE}
            hastened += sum(count for _, count in answers.values())
        self._leasing.warm_all()
        return hastened

    async def disable(self, target: str, fingerprint: str) -> None:
        await self._shards.on_meta(DISABLE, target, fingerprint)

    async def enable(self, target: str) -> bool:
        return bool(await self._shards.on_meta(ENABLE, target))

    async def disabled(self) -> Mapping[str, str]:
        flat = await self._shards.on_meta(DISABLED)
        return {
            name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)
        }

    async def dead_letters(
        self, selection: Selection, *, after: str | None = None, limit: int = 100
    ) -> Page:
        """List dead letters, oldest first. Raises CursorRefused for what is no page's `next`."""
        return await self._letters.page(selection, codec.decode_cursor(after), limit)

    async def redrive(self, selection: Selection, *, limit: int = 1000) -> int:
        life = self._randomness.token(_LIFE_BYTES)
        redriven = await self._letters.redrive(selection, limit, life)
        self._leasing.warm_all()
        return redriven

    async def drop(self, selection: Selection, *, limit: int = 1000) -> int:
        return await self._letters.drop(selection, limit)

    async def purge(self, *, limit: int = 1000) -> int:
        forgotten = 0
        for shard in range(SHARDS):
            while forgotten < limit:
                most = min(SLICE, limit - forgotten)
                _, count = await self._shards.on(
                    shard, PURGE, [self._keeping.dead_retention_s, most]
                )
                forgotten += count
                if count < most:
                    break
        return forgotten

    async def depth(self) -> Depth:
        answers = await self._shards.on_all(DEPTH)
        return redis_depth.total(answers.values(), self._keeping.limit)

    async def close(self) -> None:
        await self._shards.close()

    def _lease_name(self, owner: str) -> str:
        return codec.lease_name(owner, self._randomness.token(codec.NONCE_BYTES))
