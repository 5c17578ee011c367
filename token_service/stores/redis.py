"""The token store in Redis, for many replicas. Lua is in redis_scripts.py.

A slot is updated optimistically: read it, run the transition here, and swap the documents in one
script, which refuses when the slot changed meanwhile; then all is done again. Every script touches
one shard of the accounts only, so that a cluster can spread them. A Redis that is lost, emptied or
failed over shows itself as another generation or an older document at the next call.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from token_service.slot import Changes, SlotState, Snapshot
from token_service.stores import redis_cursor
from token_service.stores.codec import (
    decode,
    decode_freeze,
    encode,
    known_slot,
    slot_named,
)
from token_service.stores.movable import MovableTokenStore
from token_service.stores.redis_cursor import Position
from token_service.stores.redis_scripts import (
    HEARTBEAT,
    POLL,
    READ,
    REVOCATIONS,
    REVOKE,
    SLOTS,
    SWAP,
)
from token_service.stores.redis_shards import (
    CHANGES_KEPT,
    SHARDS,
    SWAP_TRIES,
    Freezes,
    contended,
    keys_of,
    pause,
    shard_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from token_service.freeze import Freeze
    from token_service.slot import Slot
    from token_service.stores.codec import Sealer
    from token_service.stores.movable import FreezeRule
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.redis import RedisConnection

R = TypeVar("R")

POLL_EVERY_S = 0.25
_CHANGES_READ = 1000
_REPLICAS = "zk:ts:{meta}:replicas"
_REVOCATIONS = "zk:ts:{meta}:revocations"


@dataclass(frozen=True, slots=True)
class _Reading:
    """A slot, and what the server must still hold for a change of it: b"" for nothing."""

    snapshot: Snapshot
    document: bytes
    freeze: bytes


class RedisTokenStore(MovableTokenStore):
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
        self._freezes = Freezes(connection, clock, randomness, self._time)
        self._joined: dict[int, Position] = {}

    async def snapshot(self, slot: Slot) -> Snapshot:
        return (await self._read(slot)).snapshot

    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        for attempt in range(SWAP_TRIES):
            read = await self._read(slot)
            before = read.snapshot.state
            after, result = transition(before, read.snapshot.now)
            if after == before or await self._swap(slot, read, after):
                return result
            await pause(attempt, self._clock, self._randomness)
        raise contended(str(slot))

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

    async def slots(self) -> frozenset[Slot]:
        found: set[Slot] = set()
        for shard in range(SHARDS):
            names = await self._connection.run(SLOTS, keys_of(shard), [])
            found.update(known_slot(name.decode()) for name in names)
        return frozenset(found)

    async def freeze_read(self) -> tuple[Freeze | None, float]:
        return await self._freezes.read()

    async def _update_freeze(self, rule: FreezeRule) -> bool:
        return await self._freezes.update(rule)

    async def close(self) -> None:
        await self._connection.close()

    async def _read(self, slot: Slot) -> _Reading:
        shard = shard_of(slot)
        if shard not in self._joined:
            # Before the first reading, so that no change after it is missed.
            self._joined.setdefault(shard, (await self._poll_shard(shard, None))[0])
        now, generation, born_at, freeze, document = await self._connection.run(
            READ, keys_of(shard), [self._time(), self._randomness.token(8), str(slot)]
        )
        if document is None:
            state = SlotState(generation.decode(), float(born_at))
        else:
            state = decode(document, self._sealer, slot)
        if freeze:
            state = replace(state, frozen=decode_freeze(freeze))
        return _Reading(Snapshot(state, float(now)), document or b"", freeze)

    async def _swap(self, slot: Slot, read: _Reading, after: SlotState) -> bool:
        swapped = await self._connection.run(
            SWAP,
            keys_of(shard_of(slot)),
            [
                self._time(),
                after.generation,
                str(slot),
                read.document,
                encode(after, self._sealer),
                CHANGES_KEPT,
                read.freeze,
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
        return position, _known(names), bool(reset)

    def _time(self) -> str:
        """Empty: Redis looks at its own clock."""
        return "" if self._time_from is None else repr(self._time_from.now())


def _known(names: Iterable[bytes]) -> list[Slot]:
    """Without the mark that begins a history, and without slots of a later version."""
    return [slot for name in names if (slot := slot_named(name.decode()))]
