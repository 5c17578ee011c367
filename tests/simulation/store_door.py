"""A replica's way to the shared store: delays, and losses before and after the effect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from token_service.stores.base import TokenStore
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.simulation.chance import Random
    from tests.simulation.door import Door, Weather
    from token_service.slot import Changes, Slot, SlotState, Snapshot
    from token_service.stores.memory import MemoryTokenStore

R = TypeVar("R")


class StoreDoor(TokenStore):
    """Fails and dawdles as the weather says; nothing passes a closed door."""

    def __init__(
        self, inner: MemoryTokenStore, door: Door, weather: Weather, chance: Random
    ) -> None:
        self.shared = inner.shared
        self._inner = inner
        self._door = door
        self._weather = weather
        self._chance = chance

    async def snapshot(self, slot: Slot) -> Snapshot:
        return await self._pass(lambda: self._inner.snapshot(slot))

    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        return await self._pass(lambda: self._inner._update(slot, transition))

    async def changes(self, after: str | None, *, wait_s: float) -> Changes:
        await self._open()
        changes = await self._inner.changes(after, wait_s=wait_s)
        await self._open()
        return changes

    async def heartbeat(self, replica: str, *, ttl_s: float) -> frozenset[str]:
        await self._open()
        return await self._inner.heartbeat(replica, ttl_s=ttl_s)

    async def revoke(self, client: str, at: float) -> float:
        return await self._pass(lambda: self._inner.revoke(client, at))

    async def revocations(self) -> Mapping[str, float]:
        return await self._pass(self._inner.revocations)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _open(self) -> None:
        await self._door.pass_through()
        now = asyncio.get_running_loop().time()
        if self._weather.store_away or self._door.cut:
            self._door.in_contact_since = now
            raise StoreUnavailable("the store is away")
        self._door.store_contact_at = now

    async def _pass(self, effect: Callable[[], Awaitable[R]]) -> R:
        await self._delay()
        await self._open()
        if self._chance.random() < self._weather.store_fault:
            raise StoreUnavailable("lost on the way there")
        result = await effect()
        await self._delay()
        await self._open()
        if self._chance.random() < self._weather.store_fault:
            raise StoreUnavailable("lost on the way back")
        return result

    async def _delay(self) -> None:
        slow = self._chance.random() < self._weather.store_slow
        await asyncio.sleep(self._chance.uniform(0.5, 4.0) if slow else 0.001)
