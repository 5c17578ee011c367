"""How a copy holds its two stores: frozen from before the first reading until the seal.

Both freezes end by themselves, or may be taken over, when the copy is not heard of any more; so a
copy that dies leaves nothing behind that only a person could mend.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from token_service.freeze import Way, is_at_work
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from types import TracebackType

    from token_service.freeze import Freeze
    from token_service.stores.movable import MovableTokenStore
    from zhongkong.runtime.clock import Clock

_PROLONG_EVERY_S: Final = 15.0
_CLEARING_S: Final = 5.0
_LIFTED: Final = "the freeze was lifted while the copy was at work: nothing counts, repeat it"


class CopyRefused(Exception):
    """The target must not be used yet. The message says why and what to do, and holds no secret."""


@dataclass(frozen=True, slots=True)
class End:
    """One of the two stores, and its address without credentials."""

    store: MovableTokenStore
    address: str

    def __str__(self) -> str:
        return self.address


class Hold:
    """Freezes both stores while it is entered. Left by an error, it lets go of what it can."""

    def __init__(self, source: End, target: End, name: str, clock: Clock) -> None:
        self.name = name
        self._source, self._target = source, target
        self._clock = clock
        self._resumed = self._entered = False
        self._prolonged_at = 0.0

    def resume(self, name: str) -> None:
        """Go on with a copy whose source is sealed: whatever happens now, it stays so."""
        self.name, self._resumed = name, True

    async def __aenter__(self) -> Self:
        """Raises CopyRefused, StoreUnavailable."""
        self._prolonged_at = self._clock.monotonic()
        try:
            # The target first: whether it answers is known before the source is touched.
            await _freeze(self._target, self._source, self.name, Way.IN)
            await _freeze(self._source, self._target, self.name, Way.OUT)
        except BaseException:
            await self._let_go()
            raise
        self._entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered = False
        if error is not None:
            await self._let_go()

    async def keep(self) -> None:
        """Prolong both freezes when it is time. Raises CopyRefused, StoreUnavailable."""
        if self._entered and self._clock.monotonic() - self._prolonged_at >= _PROLONG_EVERY_S:
            await self._prolong()

    async def seal(self) -> None:
        """Everything is in the target: the source stays frozen. Raises as `keep` does."""
        await self._prolong()
        if not await self._source.store.seal(self.name):
            raise CopyRefused(_LIFTED)

    async def _prolong(self) -> None:
        self._prolonged_at = self._clock.monotonic()
        for end in (self._target, self._source):
            if not await end.store.prolong(self.name):
                raise CopyRefused(_LIFTED)

    async def _let_go(self) -> None:
        """Thaw the source, and the target if nothing is in it. What can't be done now lapses."""
        if self._resumed:
            return
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_CLEARING_S):
                await self._source.store.thaw(self.name)
        target = self._target.store
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_CLEARING_S):
                await (target.let_go if await target.slots() else target.thaw)(self.name)


def held_by(freeze: Freeze, address: str, now: float) -> str:
    """Why a store can't be frozen for another copy."""
    if is_at_work(freeze, now):
        left_s = (freeze.until or now) - now
        return (
            f"{address} is held by another copy ({freeze}): wait for it; if it "
            f"broke off, it lets go within {left_s:.0f} s"
        )
    if freeze.way is Way.IN:
        return (
            f"{address} was never filled to the end ({freeze}): repeat that "
            "copy, or use it as it is after `token-service store thaw`"
        )
    return (
        f"{address} was copied to {freeze.other} already, and mints nothing since: use that, or "
        "take this one back with `token-service store thaw` while no service runs there"
    )


async def _freeze(end: End, other: End, name: str, way: Way) -> None:
    if await end.store.freeze(name, way, other.address):
        return
    freeze, now = await end.store.freeze_read()
    if freeze is None:
        raise CopyRefused(f"{end} was held by another copy until now: try again")
    raise CopyRefused(held_by(freeze, end.address, now))
