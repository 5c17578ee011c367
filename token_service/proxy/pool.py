"""Connections to WeChat: reused, counted, and never asked twice behind anybody's back.

That no byte of a request has left is known exactly: `Pool.take` failed. How one is opened is in
`opener`; which host is asked and what an answer means is decided in `forward`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from token_service.proxy.opener import NotConnected
from zhongkong.wechat.errors import NotSentReason

if TYPE_CHECKING:
    from token_service.proxy.connection import Connection
    from token_service.proxy.opener import Opener
    from zhongkong.runtime.clock import Clock

IDLE_AT_MOST_S: Final = 15.0
"""WeChat's side closes idle connections too; one that it closes just now loses a call."""
IDLE_FOR_WRITES_S: Final = 2.0
"""A call that must not be lost takes only a connection that was used just now."""
_IDLE_KEPT: Final = 64


class PoolFull(Exception):
    """All connections are in use, and none became free in time."""


class Pool:
    """All connections of the proxy. `close` it in the end."""

    def __init__(
        self,
        opener: Opener,
        *,
        clock: Clock,
        limit: int,
        patience_s: float,
    ) -> None:
        """`limit`: connections in use at a time; `patience_s`: how long a call waits for one."""
        self._opener = opener
        self._clock = clock
        self._limit = limit
        self._patience_s = patience_s
        self._idle: dict[str, deque[Connection]] = {}
        self._in_use: set[Connection] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = 0
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def in_use(self) -> int:
        """Connections that a call holds now."""
        return len(self._in_use)

    @property
    def idle(self) -> int:
        """Connections that wait for a call."""
        return sum(map(len, self._idle.values()))

    def take_idle(self, origin: str, *, idle_at_most_s: float) -> Connection | None:
        """A connection that waits for a call, where there is one and nobody is before us."""
        if self._taken >= self._limit or self._waiting:
            return None
        connection = self._reuse(origin, idle_at_most_s)
        if connection is not None:
            self._taken += 1
            self._in_use.add(connection)
        return connection

    async def take(self, origin: str, *, idle_at_most_s: float) -> Connection:
        """An idle connection or a new one; give it back or drop it. Raises NotConnected, PoolFull.

        Cancelled or failed, it leaves nothing behind.
        """
        await self._permit()
        try:
            if self._closed:
                raise NotConnected(NotSentReason.CLOSED, "the service is stopping")
            connection = self._reuse(origin, idle_at_most_s)
            if connection is None:
                connection = await self._opener.open(origin)
        except BaseException:
            self._release()
            raise
        self._in_use.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """The call is over; its connection is kept when nothing is left on it."""
        if connection not in self._in_use:
            return
        now = self._clock.monotonic()
        connection.idle_since = now
        idle = self._idle.get(connection.origin)
        if idle is None:
            idle = self._idle[connection.origin] = deque()
        if self._closed or len(idle) >= _IDLE_KEPT or not connection.usable(now, IDLE_AT_MOST_S):
            self.drop(connection)
            return
        connection.reused = True
        self._in_use.discard(connection)
        if self._waiting:
            self._release()
        else:
            self._taken -= 1
        idle.append(connection)
        if self._sweep is None:
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(IDLE_AT_MOST_S, self._drop_idle)

    def drop(self, connection: Connection) -> None:
        """Close it at once, whatever is under way on it. May be repeated."""
        connection.abort()
        if connection in self._in_use:
            self._in_use.discard(connection)
            self._release()

    def close(self) -> None:
        """Close all of them: calls under way end as if cut off."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in [*self._in_use, *(c for idle in self._idle.values() for c in idle)]:
            self.drop(connection)
        self._idle.clear()

    def _reuse(self, origin: str, idle_at_most_s: float) -> Connection | None:
        """The one that was used last: it is the least likely to be closed by the other side."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        now = self._clock.monotonic()
        while idle:
            connection = idle[-1]
            if connection.usable(now, idle_at_most_s):
                return idle.pop()
            if connection.usable(now, IDLE_AT_MOST_S):
                return None
            idle.pop().abort()
        return None

    async def _permit(self) -> None:
        """Wait for one of `limit` places. First come, first served."""
        if self._taken < self._limit and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._release()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise PoolFull from None
            raise

    def _release(self) -> None:
        """Pass the place on, or free it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._taken -= 1

    def _drop_idle(self) -> None:
        now = self._clock.monotonic()
        for idle in self._idle.values():
            for _ in range(len(idle)):
                connection = idle.popleft()
                if connection.usable(now, IDLE_AT_MOST_S - 0.5):
                    idle.append(connection)
                else:
                    connection.abort()
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(IDLE_AT_MOST_S, self._drop_idle) if self.idle else None
