"""Places that may be waited for. Replies are leased as their events come in, so they may have to.

Notify deliveries are leased only when there is a place for them: see choice.
"""

from __future__ import annotations

import asyncio
from collections import deque

from callback_gateway.delivery.places import Places


class Gates:
    """Places by target that may be waited for: first come, first served, until `close`."""

    def __init__(self) -> None:
        self._places = Places()
        self._queues: dict[str, deque[asyncio.Future[bool]]] = {}
        self._closed = False

    async def enter(self, target: str, limit: int, within_s: float) -> bool:
        """Take one of `limit` places; False when none became free in time, or at the end."""
        if self._closed:
            return False
        if self._places.taken(target) < limit and target not in self._queues:
            self._places.take(target)
            return True
        return within_s > 0 and await self._queue(target, within_s)

    def leave(self, target: str) -> None:
        """Pass the place on, or free it."""
        queue = self._queues.get(target, deque())
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(True)
                break
        else:
            self._places.leave(target)
        if not queue:
            self._queues.pop(target, None)

    def close(self) -> None:
        """Let nobody in any more, and nobody wait."""
        self._closed = True
        for queue in self._queues.values():
            for turn in queue:
                if not turn.done():
                    turn.set_result(False)
        self._queues.clear()

    async def _queue(self, target: str, within_s: float) -> bool:
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(target, deque()).append(turn)
        try:
            async with asyncio.timeout(within_s):
                return await turn
        except TimeoutError:
            return self._step_out(target, turn)
        except BaseException:
            if self._step_out(target, turn):
                self.leave(target)
            raise

    def _step_out(self, target: str, turn: asyncio.Future[bool]) -> bool:
        """Wait no more; True when a place came at the last moment."""
        queue = self._queues.get(target, deque())
        if turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[target]
        return turn.done() and not turn.cancelled() and turn.result()
