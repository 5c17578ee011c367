"""A door before a real Redis that gives WAITAOF the answers that a test wants.

The servers that most distributions carry are older than the command. All else goes through as it
came, one command at a time and connection by connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import hiredis

from tests.fixtures.redis import RedisServer
from zhongkong.runtime.redis_wire import pack

CHUNK = 65_536


@dataclass
class Door:
    """`reached` is what WAITAOF answers: fsynced by the server, by so many replicas."""

    upstream: RedisServer
    reached: tuple[int, int] = (1, 0)
    port: int = 0
    sent: list[list[bytes]] = field(default_factory=list)
    """Scripts and waits: the words before the keys."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """One a connection; it ends when the client closes that."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def waits(self) -> list[list[bytes]]:
        return [words for words in self.sent if words[0] == b"WAITAOF"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        behind, ahead = await asyncio.open_connection(self.upstream.host, self.upstream.port)
        parser = hiredis.Reader()
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                parser.feed(chunk)
                while (words := parser.gets()) is not False:
                    writer.write(await self._answer(words, behind, ahead))
        for side in (ahead, writer):
            side.close()
            with suppress(OSError):
                await side.wait_closed()

    async def _answer(
        self, words: list[bytes], behind: asyncio.StreamReader, ahead: asyncio.StreamWriter
    ) -> bytes:
        if words[0] in {b"EVALSHA", b"EVAL", b"WAITAOF"}:
            self.sent.append(words[:4])
        if words[0] == b"WAITAOF":
            return b"*2\r\n:%d\r\n:%d\r\n" % self.reached
        if words == [b"COMMAND", b"INFO", b"WAITAOF"]:
            return b"*1\r\n*1\r\n$7\r\nwaitaof\r\n"
        ahead.write(pack(words))
        parser, raw = hiredis.Reader(), b""
        while parser.gets() is False:
            chunk = await behind.read(CHUNK)
            if not chunk:
                raise ConnectionResetError
            parser.feed(chunk)
            raw += chunk
        return raw


@asynccontextmanager
async def door_before(server: RedisServer) -> AsyncIterator[Door]:
    door = Door(server)
    listener = await asyncio.start_server(door.serve, "127.0.0.1", 0)
    door.port = listener.sockets[0].getsockname()[1]
    yield door
    listener.close()
    if door.tasks:
        await asyncio.wait(door.tasks, timeout=5)
