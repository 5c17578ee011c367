"""Requests that wait: only so many, and none of them holds up a process that is being stopped."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from token_service.problems import draining, too_many_waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class WaitingRoom:
    """Bounds the number of waiting requests and the time of each."""

    def __init__(self, seats: int, *, patience_s: float = 0.0) -> None:
        """`patience_s`: how much longer a deed may wait for its outcome once the room closes."""
        self.seats = seats
        self._patience_s = patience_s
        self._waiting: dict[asyncio.Timeout, float] = {}
        self._closed = False

    @property
    def taken(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @asynccontextmanager
    async def seat(self, at_most_s: float, *, deed: bool = False) -> AsyncIterator[None]:
        """Wait inside. Raises Problem when all seats are taken or the process is being stopped.

        TimeoutError when the block takes longer than `at_most_s`. A `deed` calls WeChat on its
        caller's word, who is told what came of it if that is known soon.
        """
        if self._closed:
            raise draining()
        if len(self._waiting) >= self.seats:
            raise too_many_waiting()
        limit = asyncio.timeout(at_most_s)
        try:
            async with limit:
                self._waiting[limit] = self._patience_s if deed else 0.0
                yield
        except TimeoutError:
            if self._closed:
                raise draining() from None
            raise
        finally:
            self._waiting.pop(limit, None)

    def close(self) -> None:
        """End every wait, deeds after a while; let nobody wait any more. May be repeated."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for limit, patience_s in self._waiting.items():
            limit.reschedule(min(now + patience_s, limit.when() or now))
