"""Connections to WeChat: opened, reused, counted, and never asked twice behind anybody's back.

One request at a time goes over a connection, written by whoever holds it; answers are parsed by
aiohttp's own parser. That no byte of a request has left is known exactly: `Pool.take` failed. Which
host is asked and what an answer means is decided in `forward`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from zhongkong.wechat.errors import NotSentReason

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from zhongkong.runtime.clock import Clock

IDLE_AT_MOST_S: Final = 15.0
"""WeChat's side closes idle connections too; one that it closes just now loses a call."""
IDLE_FOR_WRITES_S: Final = 2.0
"""A call that must not be lost takes only a connection that was used just now."""
_AGE_AT_MOST_S: Final = 300.0
"""Names are resolved anew for each connection, and WeChat retires addresses (code 48017)."""
_IDLE_KEPT: Final = 64

ANSWER_ERRORS: Final = (
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    EOFError,
)


class NotConnected(Exception):
    """No connection, so nothing left. `reason` is a metric label, `detail` is for people."""

    def __init__(self, reason: NotSentReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class PoolFull(Exception):
    """All connections are in use, and none became free in time."""


class Connection(ResponseHandler):
    """One connection; `reused` tells whether an earlier call went over it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: str, now: float) -> None:
        super().__init__(loop)
        self.origin = origin
        self.born_at = now
        self.idle_since = now
        self.reused = False

    def begin(self, *, without_body: bool, silence_s: float) -> None:
        """Expect the answer of one request."""
        self.set_response_params(
            skip_payload=without_body,
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=silence_s,
            timeout_ceil_threshold=1e9,
            max_line_size=16_384,
            max_field_size=16_384,
        )

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport. Raises ConnectionError when it is gone."""
        if self.transport is None:
            raise ConnectionResetError("the connection is closed")
        self.transport.write(data)

    async def drained(self, within_s: float) -> None:
        """Wait until the other side took most of what was written. Raises TimeoutError."""
        if self.writing_paused:
            async with asyncio.timeout(within_s):
                await self._drain_helper()

    async def head(self) -> tuple[RawResponseMessage, StreamReader]:
        """The final answer's head, and its body to come. Raises ANSWER_ERRORS."""
        while True:
            message, payload = await self.read()
            if message.code >= 200:
                return message, payload
            if message.code == 101:
                raise aiohttp.ClientPayloadError("an upgrade that nobody asked for")

    def usable(self, now: float, idle_at_most_s: float) -> bool:
        """Whether the next call may take it."""
        return (
            self.is_connected()
            and not self.should_close
            and now - self.idle_since <= idle_at_most_s
            and now - self.born_at <= _AGE_AT_MOST_S
        )


class Pool:
    """All connections of the proxy. `close` it in the end."""

    def __init__(
        self,
        *,
        clock: Clock,
        limit: int,
        connect_s: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`limit`: connections in use at a time. `tls` replaces trust in public authorities."""
        self._clock = clock
        self._limit = limit
        self._connect_s = connect_s
        self._tls = tls
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

    async def take(self, origin: str, *, idle_at_most_s: float) -> Connection:
        """An idle connection or a new one; give it back or drop it. Raises NotConnected, PoolFull.

        Cancelled or failed, it leaves nothing behind.
        """
        await self._permit()
        try:
            connection = self._reuse(origin, idle_at_most_s)
            # Not `or`: a connection without answers in its queue is empty, so it is false.
            if connection is None:
                connection = await self._open(origin)
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
        idle = self._idle.setdefault(connection.origin, deque())
        connection.idle_since = now
        if self._closed or len(idle) >= _IDLE_KEPT or not connection.usable(now, IDLE_AT_MOST_S):
            self.drop(connection)
            return
        connection.reused = True
        self._in_use.discard(connection)
        self._release()
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
        now = self._clock.monotonic()
        while idle:
            connection = idle[-1]
            if connection.usable(now, idle_at_most_s):
                return idle.pop()
            if connection.usable(now, IDLE_AT_MOST_S):
                return None
            idle.pop().abort()
        return None

    async def _open(self, origin: str) -> Connection:
        if self._closed:
            raise NotConnected(NotSentReason.CLOSED, "the service is stopping")
        parts = urlsplit(origin)
        secure = parts.scheme == "https"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, origin, self._clock.monotonic()),
                    parts.hostname or "",
                    parts.port or (443 if secure else 80),
                    ssl=self._trust() if secure else None,
                )
        # uvloop reports some failures to connect as RuntimeError.
        except (OSError, TimeoutError, RuntimeError) as error:
            raise _not_connected(error, self._connect_s) from None
        return connection

    def _trust(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    async def _permit(self) -> None:
        """Wait for one of `limit` places. First come, first served."""
        if self._taken < self._limit and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._connect_s):
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


def _not_connected(error: Exception, connect_s: float) -> NotConnected:
    if isinstance(error, TimeoutError):
        return NotConnected(NotSentReason.CONNECT_TIMEOUT, f"no connection within {connect_s:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message
        return NotConnected(NotSentReason.TLS, f"its certificate is not accepted ({said})")
    if isinstance(error, ssl.SSLError):
        return NotConnected(NotSentReason.TLS, "the TLS handshake failed")
    if isinstance(error, ConnectionRefusedError):
        return NotConnected(NotSentReason.CONNECTION_REFUSED, "it refuses connections")
    if type(error).__name__ == "gaierror":
        return NotConnected(NotSentReason.DNS, "its name does not resolve")
    return NotConnected(NotSentReason.CONNECT_FAILED, "no connection")
