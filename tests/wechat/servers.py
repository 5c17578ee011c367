"""Servers on loopback that misbehave on demand, byte by byte, and count what reaches them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from ssl import SSLContext

from aiohttp.abc import AbstractResolver

from zhongkong.runtime.clock import Clock, SystemClock
from zhongkong.wechat.failover import Failover
from zhongkong.wechat.transport import Bounds, WeChatTransport


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    head: str
    body: bytes

    @property
    def target(self) -> str:
        return self.head.split(" ")[1]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


@dataclass
class Server:
    """Where it listens and what it has seen."""

    origin: str
    connections: int = 0
    requests: list[Seen] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


Reply = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
"""What to do with a request. Returning leaves the connection open for the next one."""


@contextlib.asynccontextmanager
async def serve(reply: Reply, *, tls: SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that reads whole requests and hands each to `reply`."""
    open_tasks: set[asyncio.Task[None]] = set()
    server = Server("")

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_tasks.add(task)
        server.connections += 1
        try:
            while not writer.is_closing():
                seen = await read_request(reader)
                server.requests.append(seen)
                server.arrived.set()
                await reply(seen, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            open_tasks.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listener.close()
        for task in list(open_tasks):
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    seen = Seen(head, b"")
    length = int(seen.header("Content-Length") or 0)
    return Seen(head, await reader.readexactly(length))


def http(
    body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = (), length: int | None = None
) -> bytes:
    """An HTTP/1.1 answer; `length` may lie."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def replies(raw: bytes, *, close: bool = False, reset: bool = False) -> Reply:
    """Write `raw`, then keep the connection, close it, or reset it."""

    async def reply(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if reset:
            writer.transport.abort()
        elif close:
            writer.close()

    return reply


async def never_replies(_seen: Seen, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@contextlib.contextmanager
def refused_origin() -> Iterator[str]:
    """An origin whose port is taken and does not listen, so that nobody else gets it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


@contextlib.asynccontextmanager
async def transport(
    *origins: str,
    bounds: Bounds | None = None,
    clock: Clock | None = None,
    on_failover: Callable[[Failover], None] | None = None,
    tls: SSLContext | None = None,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[WeChatTransport]:
    made = WeChatTransport(
        origins,
        clock=clock or SystemClock(),
        bounds=bounds or Bounds(),
        on_failover=on_failover,
        tls=tls,
        resolver=resolver,
    )
    try:
        yield made
    finally:
        await made.close()
