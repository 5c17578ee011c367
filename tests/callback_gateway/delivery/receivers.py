"""Targets that really listen: well-behaved ones, and those that do whatever they like."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from weakref import WeakSet

from aiohttp import web
from aiohttp.test_utils import TestServer

from callback_gateway.targets import Target, make_target

SECRET = "whsec_" + base64.b64encode(b"loopback" * 4).decode()

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiver(answer: Answer) -> AsyncIterator[str]:
    """A target made with aiohttp; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/hook"))


@asynccontextmanager
async def raw_receiver(
    talk: Talk, *, scheme: str = "http", tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A target that reads a request's head and then does what `talk` does."""
    talking: set[asyncio.Task[None]] = set()
    ends: WeakSet[asyncio.WriteTransport] = WeakSet()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        ends.add(writer.transport)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{scheme}://127.0.0.1:{port}/hook"
    finally:
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        # A closed one waits for its reader, and over TLS for a goodbye: for longer than the loop.
        for end in list(ends):
            end.abort()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The head and the body of one request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    return head + await reader.readexactly(length)


def saying(answer: bytes) -> Talk:
    """Answer each request with these bytes, as they are, and close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    return talk


def target_at(url: str, name: str = "crm", **settings: float) -> Target:
    concurrency = int(settings.get("concurrency", 16))
    timeout_s = settings.get("timeout_s", 30.0)
    return make_target(name, url, SECRET, timeout_s=timeout_s, concurrency=concurrency)
