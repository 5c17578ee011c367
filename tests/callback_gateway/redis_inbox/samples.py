"""Accounts of known shards, and an observer that writes down what it hears."""

from __future__ import annotations

from itertools import count

from callback_gateway.inbox.redis_shards import SHARDS, shard_of


class Heard:
    """What the inbox told of itself."""

    def __init__(self) -> None:
        self.away: list[bool] = []
        self.spooled_counts: list[int] = []
        self.drained_counts: list[int] = []
        self.lost_counts: list[int] = []
        self.broken: list[bool] = []

    def store_away(self, away: bool) -> None:
        self.away.append(away)

    def spooled(self, count: int) -> None:
        self.spooled_counts.append(count)

    def drained(self, count: int) -> None:
        self.drained_counts.append(count)

    def lost(self, count: int) -> None:
        self.lost_counts.append(count)

    def promise_broken(self, broken: bool) -> None:
        self.broken.append(broken)


def _accounts() -> dict[int, str]:
    found: dict[int, str] = {}
    for number in count():
        found.setdefault(shard_of(f"shop{number}"), f"shop{number}")
        if len(found) == SHARDS:
            return found
    raise AssertionError("unreachable")


ACCOUNTS = _accounts()
"""One of each shard."""
