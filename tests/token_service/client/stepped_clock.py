"""A clock that only the test moves, and on which sleepers really wait."""

from __future__ import annotations

import asyncio

START = 1_760_000_000.0


class SteppedClock:
    """Sleeps of a second or more end when `advance` reaches them; shorter ones pass at once."""

    def __init__(self) -> None:
        self._now = START
        self._monotonic = 50.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.asleep = asyncio.Event()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds < 1.0:
            await asyncio.sleep(0)
            return
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._monotonic + seconds, waker))
        self.asleep.set()
        try:
            await waker
        finally:
            self._sleepers = [entry for entry in self._sleepers if entry[1] is not waker]

    @property
    def sleeping_s(self) -> list[float]:
        """How long each sleeper has still to sleep."""
        return [due - self._monotonic for due, _ in self._sleepers]

    def advance(self, seconds: float, *, wall: float | None = None) -> None:
        """Move both clocks; `wall` moves the wall clock by something else."""
        self._monotonic += seconds
        self._now += seconds if wall is None else wall
        for due, waker in self._sleepers:
            if due <= self._monotonic and not waker.done():
                self.asleep.clear()
                waker.set_result(None)

    async def until_asleep(self) -> None:
        """Wait until whom the last `advance` woke fell asleep again."""
        async with asyncio.timeout(30):
            await self.asleep.wait()


class Middle:
    """Randomness without any: always the middle."""

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2

    def token(self, nbytes: int) -> str:
        return "0" * (2 * nbytes)
