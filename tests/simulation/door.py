"""A replica's door to the world, and the weather outside.

A crash closes the door first and drops the tasks after: what was sent before may still take
effect, what a `finally` would send after it never leaves.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass
class Weather:
    """How the ways are just now, for all: whoever changes it, the ways obey. Shares of calls."""

    store_away: bool = False
    store_fault: float = 0.0
    store_slow: float = 0.0
    wechat_away: bool = False
    wechat_fault: float = 0.0


class Door:
    """Closed by a crash. `cut`: it alone can't reach the store. Paused: it stands still."""

    def __init__(self) -> None:
        self.open = True
        self.cut = False
        self._running = asyncio.Event()
        self._running.set()
        self.store_contact_at = 0.0
        self.in_contact_since = asyncio.get_running_loop().time()

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        if self.paused:
            self.store_contact_at = float("-inf")
            self.in_contact_since = asyncio.get_running_loop().time()
        self._running.set()

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    async def pass_through(self) -> None:
        """Whatever the process does waits while it stands still, and never happens once it died."""
        await self._running.wait()
        if not self.open:
            raise asyncio.CancelledError
