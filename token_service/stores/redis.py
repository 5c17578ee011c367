"""The token store in Redis, for many replicas. Lua is in redis_scripts.py.

A slot is updated optimistically: read it, run the transition here, and swap the documents in one
script, which refuses when the slot changed meanwhile; then all is done again. Every script touches
one shard of the accounts only, so that a cluster can spread them. A Redis that is lost, emptied or
failed over shows itself as another generation or an older document at the next call.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, TypeVar

from token_service.slot import Changes, SlotState, Snapshot
from token_service.stores import redis_cursor
from token_service.stores.base import TokenStore
from token_service.stores.codec import decode, encode, slot_of
from token_service.stores.redis_cursor import Position
from token_service.stores.redis_scripts import (
    HEARTBEAT,
    POLL,
    READ,
    REVOCATIONS,
    REVOKE,
    SWAP,
)
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from token_service.slot import Slot
    from token_service.stores.codec import Sealer
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.redis import RedisConnection

R = TypeVar("R")

SHARDS = 16
POLL_EVERY_S = 0.25
SWAP_TRIES = 20
CHANGES_KEPT = 4096
"""Per shard. A reader that is further behind is told to read everything again."""

_CHANGES_READ = 1000
_REPLICAS = "zk:ts:{meta}:replicas"
_REVOCATIONS = "zk:ts:{meta}:revocations"
_JITTER_S = 0.002


class RedisTokenStore(TokenStore):
    """The store's clock is Redis's own, unless `time_from` stands in for it."""

    shared = True

    def __init__(
        self,
        connection: RedisConnection,
        *,
        clock: Clock,
        randomness: Randomness,
        sealer: Sealer,
        time_from: Clock | None = None,
    ) -> None:
        """Take over the connection: `close` closes it. `clock` paces the polling."""
        self._connection = connection
        self._clock = clock
        self._randomness = randomness
        self._sealer = sealer
        self._time_from = time_from
        self._joined: dict[int, Position] = {}

    async def snapshot(self, slot: Slot) -> Snapshot:
        snapshot, _ = await self._read(slot)
        return snapshot

    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        for attempt in range(SWAP_TRIES):
            read, document = await self._read(slot)
            after, result = transition(read.state, read.now)
            if after == read.state or await self._swap(slot, document, after):
                return result
            await self._clock.sleep(self._randomness.uniform(0, _JITTER_S * (attempt + 1)))
        raise StoreUnavailable(
            f"{slot} was changed by others at each of {SWAP_TRIES} tries to change it: "
            "nothing was written"
        )

    async def changes(self, after: str | None, *, wait_s: float) -> Changes:
        if after is None:
            positions, _, _ = await self._poll(dict.fromkeys(self._joined))
            return Changes(redis_cursor.write(positions), frozenset())
        cursor = redis_cursor.read(after)
        deadline = self._clock.monotonic() + wait_s
        while True:
            positions, slots, reset = await self._poll(self._joined | cursor)
            left_s = deadline - self._clock.monotonic()
            if slots or reset or left_s <= 0:
                return Changes(redis_cursor.write(positions), slots, reset)
            cursor = positions
            await self._clock.sleep(min(POLL_EVERY_S, left_s))

    async def heartbeat(self, replica: str, *, ttl_s: float) -> frozenset[str]:
        live = await self._connection.run(HEARTBEAT, [_REPLICAS], [self._time(), replica, ttl_s])
        return frozenset(name.decode() for name in live)

    async def revoke(self, client: str, at: float) -> float:
        return float(await self._connection.run(REVOKE, [_REVOCATIONS], [client, repr(at)]))

    async def revocations(self) -> Mapping[str, float]:
        flat = await self._connection.run(REVOCATIONS, [_REVOCATIONS], [])
        return {name.decode(): float(at) for name, at in zip(flat[::2], flat[1::2], strict=True)}

    async def close(self) -> None:
        await self._connection.close()

    async def _read(self, slot: Slot) -> tuple[Snapshot, bytes]:
        """Return the slot, and its document as it stands, b"" for none."""
        shard = shard_of(slot)
        if shard not in self._joined:
            # Before the first reading, so that no change after it is missed.
            self._joined.setdefault(shard, (await self._poll_shard(shard, None))[0])
        now, generation, born_at, document = await self._connection.run(
            READ, keys_of(shard), [self._time(), self._randomness.token(8), str(slot)]
        )
        if document is None:
            state = SlotState(generation.decode(), float(born_at))
        else:
            state = decode(document, self._sealer, slot)
        return Snapshot(state, float(now)), document or b""

    async def _swap(self, slot: Slot, document: bytes, after: SlotState) -> bool:
        swapped = await self._connection.run(
            SWAP,
            keys_of(shard_of(slot)),
            [
                self._time(),
                after.generation,
                str(slot),
                document,
                encode(after, self._sealer),
                CHANGES_KEPT,
            ],
        )
        return bool(swapped)

    async def _poll(
        self, cursor: dict[int, Position] | dict[int, None]
    ) -> tuple[dict[int, Position], frozenset[Slot], bool]:
        """Read on in every shard at once: new positions, changed slots, whether a past was lost."""
        try:
            async with asyncio.TaskGroup() as group:
                polls = {
                    shard: group.create_task(self._poll_shard(shard, position))
                    for shard, position in cursor.items()
                }
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        seen = {shard: poll.result() for shard, poll in polls.items()}
        return (
            {shard: position for shard, (position, _, _) in seen.items()},
            frozenset(slot for _, slots, _ in seen.values() for slot in slots),
            any(reset for _, _, reset in seen.values()),
        )

    async def _poll_shard(
        self, shard: int, after: Position | None
    ) -> tuple[Position, list[Slot], bool]:
        generation, entry, reset, names = await self._connection.run(
            POLL,
            keys_of(shard),
            [
                self._time(),
                self._randomness.token(8),
                after.generation if after else "",
                after.entry if after else "",
                _CHANGES_READ + 1,
            ],
        )
        position = Position(generation.decode(), entry.decode())
        return position, [slot for name in names if (slot := _slot_named(name))], bool(reset)

    def _time(self) -> str:
        """Empty: Redis looks at its own clock."""
        return "" if self._time_from is None else repr(self._time_from.now())


def shard_of(slot: Slot) -> int:
    """The fixed shard of an account: all its slots are in one."""
    return zlib.crc32(slot.appid.encode()) % SHARDS


def keys_of(shard: int) -> list[str]:
    return [f"zk:ts:{{{shard}}}:slots", f"zk:ts:{{{shard}}}:changes"]


def _slot_named(name: bytes) -> Slot | None:
    """None for the mark that begins a history, and for slots of a later version."""
    parts = name.decode().split("/")
    return slot_of(*parts) if len(parts) == 3 else None
