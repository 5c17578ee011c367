"""PURE: what the answers of the shards tell about the store as a whole.

Is it the store that we knew, and how full is it? Who asks the shards is in redis_shards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COUNT_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Life:
    """One shard at one moment: its name ("" while it is empty), and how many events it took in."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Loss:
    """A shard that isn't what it was."""

    shard: int
    before: Life
    now: Life

    @property
    def emptied(self) -> bool:
        """False: it went back in time, as after a failover to a replica that was behind."""
        return self.before.name != self.now.name


class Lives:
    """The lives of the shards, as this process knows them."""

    def __init__(self) -> None:
        self._known: dict[int, Life] = {}

    def known(self, shard: int) -> Life | None:
        """Keep it, ask the shard, and hand both to `see`: answers may overtake each other."""
        return self._known.get(shard)

    def see(self, shard: int, before: Life | None, now: Life) -> Loss | None:
        """Learn from an answer to what was asked when `before` was known."""
        if before is None or not before.name:
            known = self._known.get(shard)
            if now.name and (known is None or not known.name):
                self._known[shard] = now
            return None
        if now.name == before.name and now.count >= before.count:
            known = self._known[shard]
            if known.name == now.name and known.count < now.count:
                self._known[shard] = now
            return None
        known = self._known[shard]
        if known != before and known.name == now.name:
            return None  # another answer told of this already
        if known.name != before.name and not (known.name and now.name):
            # So it did, while the shard was empty, or this answer is from then.
            if now.name:
                self._known[shard] = now
            return None
        self._known[shard] = now
        return Loss(shard, before, now)


class Fullness:
    """How many events and dead letters each shard holds, as last heard."""

    def __init__(self, limit: int, shards: int) -> None:
        self._limit = limit
        self._shards = shards
        self._held: dict[int, int] = {}
        self._counted_at = 0.0

    def needs_counting(self, now: float, arriving: int) -> bool:
        """Other replicas fill it too; near the limit the count must be of this moment."""
        if len(self._held) < self._shards or now - self._counted_at >= COUNT_AGAIN_S:
            return True
        return self.is_near(arriving)

    def is_near(self, arriving: int) -> bool:
        """Whether so many more might not fit."""
        return sum(self._held.values()) + arriving > self._limit

    def counted(self, now: float) -> None:
        self._counted_at = now

    def hear(self, shard: int, held: int) -> None:
        self._held[shard] = held

    def room_of(self, shard: int) -> int:
        """How much may be in this shard, by what is in the others."""
        return self._limit - sum(held for other, held in self._held.items() if other != shard)
