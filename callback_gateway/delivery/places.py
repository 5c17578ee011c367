"""PURE: how many deliveries of each target are under way: what a slow one takes up is its own."""

from __future__ import annotations

from collections import Counter


class Places:
    """Counts by target."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def taken(self, target: str) -> int:
        return self._taken[target]

    def take(self, target: str) -> None:
        self._taken[target] += 1

    def leave(self, target: str) -> None:
        self._taken[target] -= 1
        if not self._taken[target]:
            del self._taken[target]
