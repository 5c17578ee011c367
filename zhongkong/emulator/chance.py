"""Chance that can be replayed: the same seed gives the same draws.

Good enough to make fake tokens and to decide whether a fault strikes; nothing here is secret.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_MASK: Final = (1 << 64) - 1


class Chance:
    """SplitMix64 behind the `Randomness` protocol, with the few draws the emulator needs."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * ((self._word() >> 11) / (1 << 53))

    def token(self, nbytes: int) -> str:
        """`nbytes` as lower-case hexadecimal."""
        return self._bytes(nbytes).hex()

    def text(self, length: int) -> str:
        """`length` characters of the base64url alphabet."""
        return base64.urlsafe_b64encode(self._bytes(length)).decode()[:length]

    def normal(self) -> float:
        """A number from the standard normal distribution."""
        radius = math.sqrt(-2 * math.log(1 - self.uniform(0, 1)))
        return radius * math.cos(math.tau * self.uniform(0, 1))

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`, which must not be empty. A single option costs no draw."""
        if len(options) == 1:
            return options[0]
        return options[self._word() % len(options)]

    def happens(self, probability: float) -> bool:
        """True with the given probability. Certainty, either way, costs no draw."""
        if probability >= 1:
            return True
        return probability > 0 and self.uniform(0, 1) < probability

    def _bytes(self, count: int) -> bytes:
        words = (self._word().to_bytes(8, "big") for _ in range(-(-count // 8)))
        return b"".join(words)[:count]

    def _word(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)
