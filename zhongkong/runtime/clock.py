"""Where the process meets time and chance.

Wall clock, monotonic clock and randomness are read here and nowhere else; everybody else is handed
a `Clock` and a `Randomness`, so that the simulation can move time and replay a seed.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Two readings and one wait. Seconds everywhere."""

    def now(self) -> float:
        """Wall clock: Unix seconds, UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start. It never jumps, and may stand still in a suspend."""

    async def sleep(self, seconds: float) -> None:
        """Wait. Cancellable."""


class Randomness(Protocol):
    """Jitter and names that nobody can guess."""

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""

    def token(self, nbytes: int) -> str:
        """`nbytes` of unguessable randomness as lower-case hexadecimal."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SystemRandomness:
    """The operating system's randomness for names, a fast generator for jitter."""

    def uniform(self, low: float, high: float) -> float:
        return random.uniform(low, high)

    def token(self, nbytes: int) -> str:
        return secrets.token_hex(nbytes)
