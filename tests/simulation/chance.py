"""Chance that a seed decides: the same seed gives the same draws, in every run."""

from __future__ import annotations

from random import Random  # noqa: TID251 - a seed replays only what is drawn from its own generator

__all__ = ["Random", "SeededRandomness"]


class SeededRandomness:
    """A `Randomness` for the code under test."""

    def __init__(self, seed: int | str) -> None:
        self._random = Random(seed)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def token(self, nbytes: int) -> str:
        return self._random.randbytes(nbytes).hex()
