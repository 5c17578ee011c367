"""The generator of the benchmark `gateway`: connections that send one request each at a time.

What it is asked for, and how a round is read, is in gateway_load.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, cast

from tests.bench.gateway_volley import Volley

if TYPE_CHECKING:
    from tests.bench.gateway_volley import Answer

_PATIENCE_S = 10.0
_TICK_S = 0.001


class Generator:
    """All connections of a round, and what is left to send."""

    def __init__(self, requests: list[bytes], answer: Answer, seconds: float, rate: float) -> None:
        self.answer = answer
        self.took: list[float] = []
        self.idle: deque[_Connection] = deque()
        self.failed: str | None = None
        self.over = asyncio.Event()
        self._requests = requests
        self._next = 0
        self._under_way = 0
        self._seconds = seconds
        self._rate = rate
        self._began = self._until = time.perf_counter()

    async def run(self, port: int, connections: int) -> Volley:
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port))[1]
            for _ in range(connections)
        ]
        busy = time.process_time()
        self._began = time.perf_counter()
        self._until = self._began + self._seconds
        async with asyncio.timeout(self._seconds + _PATIENCE_S):
            await (self._pace() if self._rate else self._burst(opened))
            await self.over.wait()
        took_s = time.perf_counter() - self._began
        busy = time.process_time() - busy
        if self.failed is not None:
            raise RuntimeError(self.failed)
        self.took.sort()
        return Volley(
            len(self.took),
            took_s,
            self.took[len(self.took) // 2] * 1000,
            self.took[int(len(self.took) * 0.99)] * 1000,
            self.took[-1] * 1000,
            busy / took_s,
        )

    async def _burst(self, opened: list[_Connection]) -> None:
        for connection in opened:
            self.next_of(connection, time.perf_counter())

    async def _pace(self) -> None:
        while not self.over.is_set():
            now = time.perf_counter()
            while self.idle and self._is_due(now):
                self._send(self.idle.popleft(), self._due_at())
            if not self._more(now):
                self._end_if_quiet()
            await asyncio.sleep(_TICK_S)

    def next_of(self, connection: _Connection, now: float) -> None:
        """The connection is free: its next request, if there is one."""
        if self._rate:
            if self._is_due(now):
                self._send(connection, self._due_at())
            else:
                self.idle.append(connection)
        elif self._more(now):
            self._send(connection, now)
        else:
            self._end_if_quiet()

    def answered(self, connection: _Connection, since: float) -> None:
        now = time.perf_counter()
        self.took.append(now - since)
        self._under_way -= 1
        self.next_of(connection, now)

    def fail(self, why: str) -> None:
        self.failed = self.failed or why
        self.over.set()

    def _send(self, connection: _Connection, since: float) -> None:
        request = self._requests[self._next]
        self._next += 1
        self._under_way += 1
        connection.send(request, since)

    def _more(self, now: float) -> bool:
        return now < self._until and self._next < len(self._requests)

    def _due_at(self) -> float:
        return self._began + self._next / self._rate

    def _is_due(self, now: float) -> bool:
        return self._next < len(self._requests) and self._due_at() <= min(now, self._until)

    def _end_if_quiet(self) -> None:
        if self._under_way == 0:
            self.over.set()


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._transport: asyncio.Transport | None = None
        self._request = b""
        self._since = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by descent
        self._generator.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._generator.over.is_set():
            self._generator.fail(f"the server closed a connection: {exc}")

    def send(self, request: bytes, since: float) -> None:
        assert self._transport is not None
        self._request, self._since = request, since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = data = self._received + data if self._received else data
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        body = data[end:]
        if len(body) < _content_length(data, end):
            return
        self._received = b""
        if not data.startswith(b"HTTP/1.1 200 ") or body != self._expected():
            self._generator.fail(f"bad answer: {data[:200]!r}")
            return
        self._generator.answered(self, self._since)

    def _expected(self) -> bytes:
        if self._generator.answer == "echo":
            return self._request[self._request.index(b"\r\n\r\n") + 4 :]
        return b"success" if self._generator.answer == "success" else b""


def _content_length(data: bytes, end: int) -> int:
    """Of an answer's head; a head without one counts as bad by its body."""
    start = data.find(b"ontent-Length: ", 0, end)
    return int(data[start + 15 : data.index(b"\r", start)]) if start > 0 else 0
