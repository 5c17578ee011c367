"""The store in memory: for the simulation and for tests. It serves replicas of one event loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from token_service.freeze import is_news
from token_service.slot import Changes, Slot, SlotState, Snapshot
from token_service.stores.movable import MovableTokenStore
from token_service.stores.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from token_service.freeze import Freeze
    from token_service.stores.movable import FreezeRule
    from zhongkong.runtime.clock import Clock, Randomness

R = TypeVar("R")


class MemoryTokenStore(MovableTokenStore):
    """Holds every slot in a dictionary; `empty()` and `rewind()` play the loss of its past."""

    def __init__(self, clock: Clock, randomness: Randomness, *, shared: bool = True) -> None:
        self.shared = shared
        self._clock = clock
        self._randomness = randomness
        self._changed = asyncio.Event()
        self._presence = Presence()
        self._sequence = 0
        self._rewound_at = 0
        self._freeze: Freeze | None = None
        self.empty()

    async def snapshot(self, slot: Slot) -> Snapshot:
        return Snapshot(self._state(slot), self._clock.now())

    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        before = self._state(slot)
        after, result = transition(before, self._clock.now())
        if after != before:
            self._states[slot] = replace(after, frozen=None) if after.frozen else after
            self._touch([slot])
        return result

    async def slots(self) -> frozenset[Slot]:
        return frozenset(self._states)

    async def freeze_read(self) -> tuple[Freeze | None, float]:
        return self._freeze, self._clock.now()

    async def _update_freeze(self, rule: FreezeRule) -> bool:
        before = self._freeze
        self._freeze, done = rule(before, self._clock.now())
        if is_news(before, self._freeze):
            self._touch(self._states)
        return done

    async def changes(self, after: str | None, *, wait_s: float) -> Changes:
        if after is None:
            return Changes(self._cursor(), frozenset())
        generation, _, sequence = after.partition(":")
        if generation != self._generation or int(sequence) < self._rewound_at:
            return Changes(self._cursor(), frozenset(), reset=True)
        touched = self._touched_after(int(sequence))
        if not touched:
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                return Changes(after, frozenset())
            return await self.changes(after, wait_s=0)
        return Changes(self._cursor(), touched)

    async def heartbeat(self, replica: str, *, ttl_s: float) -> frozenset[str]:
        return self._presence.beat(replica, ttl_s=ttl_s, now=self._clock.now())

    async def revoke(self, client: str, at: float) -> float:
        self._revoked[client] = max(at, self._revoked.get(client, at))
        return self._revoked[client]

    async def revocations(self) -> Mapping[str, float]:
        return dict(self._revoked)

    async def close(self) -> None:
        """Nothing to let go of."""

    def empty(self) -> None:
        """Lose everything: another generation begins."""
        self._generation = self._randomness.token(8)
        self._born_at = self._clock.now()
        self._states: dict[Slot, SlotState] = {}
        self._touched: dict[Slot, int] = {}
        self._revoked: dict[str, float] = {}
        self._freeze = None
        self._announce()

    def copy_states(self) -> dict[Slot, SlotState]:
        """The present content, for `rewind`."""
        return dict(self._states)

    def rewind(self, states: dict[Slot, SlotState]) -> None:
        """Go back to an older content of this generation, as a failover to a late replica does."""
        self._states = dict(states)
        self._sequence += 1
        self._rewound_at = self._sequence
        self._touched.clear()
        self._announce()

    def _state(self, slot: Slot) -> SlotState:
        state = self._states.get(slot) or SlotState(self._generation, self._born_at)
        return replace(state, frozen=self._freeze) if self._freeze else state

    def _touch(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            self._sequence += 1
            self._touched[slot] = self._sequence
        self._announce()

    def _cursor(self) -> str:
        return f"{self._generation}:{self._sequence}"

    def _touched_after(self, sequence: int) -> frozenset[Slot]:
        return frozenset(slot for slot, at in self._touched.items() if at > sequence)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
