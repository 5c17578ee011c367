"""PURE: who is to be woken when. A heap with one entry in force per key."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

K = TypeVar("K")


class Agenda(Generic[K]):
    """Times are of one monotonic clock, in seconds. Entries that were moved are skipped lazily."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._ticket = 0

    def put(self, key: K, at: float) -> None:
        """Wake `key` at this time instead of any other."""
        self._due[key] = at
        self._ticket += 1
        heapq.heappush(self._heap, (at, self._ticket, key))

    def drop(self, key: K) -> None:
        """Don't wake `key` any more."""
        self._due.pop(key, None)

    def next_at(self) -> float:
        """The earliest time in force; infinity when there is none."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else float("inf")

    def pop_due(self, now: float) -> list[K]:
        """Take out all whose time has come."""
        due = []
        while self.next_at() <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            due.append(key)
        return due
