"""A WeChat that misbehaves on purpose: a raw socket server that does what a test wrote."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from weakref import WeakSet

Script = Callable[["Visit"], Awaitable[None]]
OK = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n{"errcode":0}'


class Visit:
    """One request, its head read."""

    def __init__(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int
    ) -> None:
        self.head = head
        self.reader = reader
        self.writer = writer
        self.nth = nth
        """1 for the first request of the server."""

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    async def body(self) -> bytes:
        """The whole body, framed either way."""
        head = self.head.lower()
        if b"transfer-encoding: chunked" in head:
            parts = []
            while size := int(await self.reader.readline(), 16):
                parts.append(await self.reader.readexactly(size))
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
            return b"".join(parts)
        if b"content-length: " not in head:
            return b""
        return await self.reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))

    def reset(self) -> None:
        """End the connection hard."""
        self.writer.transport.abort()


async def token_answer(visit: Visit, token: str = "92_" + "t" * 120) -> None:
    """What the token endpoints answer."""
    await visit.body()
    said = b'{"access_token":"%b","expires_in":7200}' % token.encode()
    visit.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))


class Upstream:
    """What it saw."""

    def __init__(self, scheme: str, port: int) -> None:
        self.origin = f"{scheme}://127.0.0.1:{port}"
        self.heads: list[bytes] = []
        self.open = 0

    @property
    def requests(self) -> int:
        return len(self.heads)


@asynccontextmanager
async def upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """Serve until the end of the test. A script that ends keeps its connection open."""
    visits: set[asyncio.Task[None]] = set()
    ends: WeakSet[asyncio.WriteTransport] = WeakSet()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits.add(task)
        ends.add(writer.transport)
        it.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                it.heads.append(head)
                await script(Visit(head, reader, writer, it.requests))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            it.open -= 1
            visits.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    it = Upstream("https" if tls else "http", server.sockets[0].getsockname()[1])
    try:
        yield it
    finally:
        server.close()
        for task in list(visits):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*visits, return_exceptions=True)
        # A closed one waits for its reader, and over TLS for a goodbye: for longer than the loop.
        for end in list(ends):
            end.abort()
