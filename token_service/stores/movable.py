"""What a store can do beside serving tokens: be read as a whole, be frozen, and be filled.

Only a copy from one store to another needs this; see `copying`. The rules are in `freeze`.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

from token_service import freeze, handover
from token_service.stores.base import TokenStore
from token_service.stores.batches import each
from token_service.stores.codec import UnreadableRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.freeze import Changed, Freeze, Way
    from token_service.slot import Slot, SlotState

    FreezeRule = Callable[[Freeze | None, float], Changed]


class MovableTokenStore(TokenStore):
    """Raises and may be repeated as every TokenStore."""

    @abstractmethod
    async def slots(self) -> frozenset[Slot]:
        """Every slot that something is kept of. Reads the whole store; raises UnreadableRecord."""

    @abstractmethod
    async def freeze_read(self) -> tuple[Freeze | None, float]:
        """The freeze as it is kept, be it in force or over, and the store's time."""

    @abstractmethod
    async def _update_freeze(self, rule: FreezeRule) -> bool:
        """Run a rule on the freeze: in one transaction, or shard by shard until one is refused."""

    async def freeze(self, copy: str, way: Way, other: str) -> bool:
        """Freeze for this copy. False while another one holds the store, or froze it for good."""
        return await self._update_freeze(
            lambda current, now: freeze.begin(current, copy, way, other, now=now)
        )

    async def prolong(self, copy: str) -> bool:
        """Say that the copy is at work. False when its freeze ended: what it read may be old."""
        return await self._update_freeze(
            lambda current, now: freeze.prolong(current, copy, now=now)
        )

    async def seal(self, copy: str) -> bool:
        """Freeze for good, after everything was copied. False as for `prolong`."""
        return await self._update_freeze(lambda current, now: freeze.seal(current, copy, now=now))

    async def let_go(self, copy: str) -> None:
        """Leave a half-filled store to whoever begins again; it stays frozen."""
        await self._update_freeze(lambda current, now: freeze.let_go(current, copy, now=now))

    async def thaw(self, copy: str) -> None:
        """Lift the freeze of this copy."""
        await self._update_freeze(lambda current, _: freeze.thaw(current, copy))

    async def take_back(self) -> Freeze | None:
        """Lift whichever freeze stands, on a person's word, and return it.

        Where another store's service may have minted meanwhile, the tokens are put in doubt first.
        """
        lifted, now = await self.freeze_read()
        if lifted is None or not freeze.stands(lifted, now):
            return None
        if freeze.may_mint_elsewhere(lifted):
            await each(await self.slots(), lambda slot: self._doubt(slot, lifted))
        await self._update_freeze(lambda _current, _now: (None, True))
        return lifted

    async def take_over(self, slot: Slot, given: SlotState, copy: str) -> SlotState | None:
        """Fill a slot as this copy. None, and nothing is written, where that isn't allowed."""

        def fill(state: SlotState, _: float) -> tuple[SlotState, SlotState | None]:
            after, taken = handover.take_over(state, given, copy)
            return after, after if taken else None

        return await self._update(slot, fill)

    async def _doubt(self, slot: Slot, lifted: Freeze) -> None:
        # One that can't be read isn't used, and must not keep the others frozen.
        with suppress(UnreadableRecord):
            await self._update(
                slot, lambda state, now: (handover.take_back(state, lifted, now=now), None)
            )
