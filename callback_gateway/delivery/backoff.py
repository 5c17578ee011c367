"""PURE: the growing pause of whoever finds the store away."""

from __future__ import annotations

from typing import Final

FIRST_S: Final = 0.2
LONGEST_S: Final = 2.0


class Backoff:
    """`next_s` grows from FIRST_S to LONGEST_S until `reset`."""

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    @property
    def failing(self) -> bool:
        """Whether a pause was taken since the last reset."""
        return self._next_s > self._first_s

    def next_s(self) -> float:
        """How long to pause this time."""
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, self._longest_s)
        return pause_s

    def reset(self) -> None:
        """All is well again."""
        self._next_s = self._first_s
