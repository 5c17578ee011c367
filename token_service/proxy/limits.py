"""How many calls a client may have under way, and how many it may begin in a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.proxy import refusals
from token_service.proxy.rates import Bucket

if TYPE_CHECKING:
    from token_service.clients import Caller
    from token_service.proxy.rates import Rate
    from zhongkong.runtime.clock import Clock


class Turnstile:
    """One for all clients. Callers without a name (user-token paths) share one place."""

    def __init__(self, *, clock: Clock, at_once: int) -> None:
        """`at_once`: calls that one client may have under way."""
        self._clock = clock
        self._at_once = at_once
        self._under_way: dict[str, int] = {}
        self._buckets: dict[str, Bucket] = {}

    def enter(self, client: str, caller: Caller | None) -> None:
        """Take one of the client's places, to be left again. Raises Refusal."""
        under_way = self._under_way.get(client, 0)
        if under_way >= self._at_once:
            raise refusals.too_many(1.0, f"{self._at_once} at a time")
        if caller is not None and caller.rate is not None:
            self._spend(caller.name, caller.rate)
        self._under_way[client] = under_way + 1

    def leave(self, client: str) -> None:
        """Give the place back."""
        left = self._under_way[client] - 1
        if left:
            self._under_way[client] = left
        else:
            del self._under_way[client]

    def _spend(self, client: str, rate: Rate) -> None:
        now = self._clock.monotonic()
        bucket = self._buckets.get(client)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[client] = Bucket(rate, now)
        wait_s = bucket.take(now)
        if wait_s > 0:
            raise refusals.too_many(wait_s, str(rate))
