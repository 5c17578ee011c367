"""A clock that the test holds in its hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.emulator.platforms import NOW


@dataclass
class HeldClock:
    """Stands at `at`; a sleep is written down, moves the clock and returns at once."""

    at: float = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
