"""An event loop whose time moves only when everybody waits, and clocks that follow it."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

R = TypeVar("R")

EPOCH = 1_790_000_000.0
"""The wall clock at the loop's time 0: 22:13:20 of a day in UTC+8."""


class Deadlock(AssertionError):
    """Everybody waits, and nothing will ever wake anybody."""


class _Selector(selectors.SelectSelector):
    """Instead of waiting for sockets it lets the time pass."""

    elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        self.elapsed += max(timeout, 0.0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0. No threads, no sockets."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.elapsed


def run(main: Coroutine[None, None, R]) -> R:
    """Run a coroutine to its end on virtual time. Raises Deadlock."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


class SkewedClock:
    """One machine's clocks on the loop's time: a wall clock that is off, and may jump."""

    def __init__(self, skew_s: float = 0.0) -> None:
        self.skew_s = skew_s
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        return EPOCH + self._loop.time() + self.skew_s

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
