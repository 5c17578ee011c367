"""A load balancer of TCP connections: each goes to the next backend that can be reached."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_CHUNK = 64 * 1024


class Front:
    """`ports` are the backends; `chosen` the backend of each connection, in order."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._count = len(ports)
        self._turns = itertools.cycle(ports)
        self._writers: list[asyncio.StreamWriter] = []
        self.chosen: list[int] = []
        self.port = 0

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        for port in itertools.islice(self._turns, self._count):
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                self._writers.append(far_writer)
                self.chosen.append(port)
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
                return
        writer.close()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def round_robin(*ports: int) -> AsyncIterator[Front]:
    front = Front(ports)
    server = await asyncio.start_server(front.relay, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        front.close()
        await server.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends; then the other is closed too."""
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
