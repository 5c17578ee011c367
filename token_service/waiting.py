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

    def __init__(self, seats: int) -> None:
        self.seats = seats
        self._waiting: set[asyncio.Timeout] = set()
        self._closed = False

    @property
    def taken(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @asynccontextmanager
    async def seat(self, at_most_s: float) -> AsyncIterator[None]:
        """Wait inside. Raises Problem when all seats are taken or the process is being stopped.

        TimeoutError when the block takes longer than `at_most_s`.
        """
        if self._closed:
            raise draining()
        if len(self._waiting) >= self.seats:
            raise too_many_waiting()
        limit = asyncio.timeout(at_most_s)
        try:
            async with limit:
                self._waiting.add(limit)
                yield
        except TimeoutError:
            if self._closed:
                raise draining() from None
            raise
        finally:
            self._waiting.discard(limit)

    def close(self) -> None:
        """End every wait now, and let nobody wait any more. May be repeated."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for limit in self._waiting:
            limit.reschedule(now)
