"""The load balancer before the replicas: connections go in turn to those that are ready.

It knows TCP alone, as most do. A connection that is open stays with its replica.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.chaos.patience import pass_time

_CHUNK = 64 * 1024
_LOOK_EVERY_S = 0.1


@dataclass
class Backend:
    port: int
    is_ready: Callable[[], Awaitable[bool]]
    """Asks its /readyz; false as well when nobody answers there."""
    ready: bool = False


@dataclass
class Front:
    port: int = 0
    heed_readiness: bool = True
    """False: connections go to all, as where nobody asks /readyz."""
    backends: list[Backend] = field(default_factory=list)
    _turn: int = 0
    _pipes: set[asyncio.Task[None]] = field(default_factory=set)

    async def watch(self) -> None:
        """Ask all again and again, until cancelled."""
        while True:
            backends = list(self.backends)
            answers = await asyncio.gather(*(each.is_ready() for each in backends))
            for backend, ready in zip(backends, answers, strict=True):
                backend.ready = ready
            await pass_time(_LOOK_EVERY_S)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Whatever becomes of it, even if it never begins, the connection is closed then."""
        task = asyncio.get_running_loop().create_task(self._pipe(reader, writer))
        self._pipes.add(task)

        def over(_: asyncio.Task[None]) -> None:
            self._pipes.discard(task)
            writer.close()

        task.add_done_callback(over)

    async def end(self) -> None:
        for task in list(self._pipes):
            task.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await self._connect()
        if far is None:
            return
        far_reader, far_writer = far
        ways = {
            asyncio.create_task(_pump(reader, far_writer)),
            asyncio.create_task(_pump(far_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            far_writer.close()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to the next one that takes it; None when nobody does."""
        for _ in range(len(self.backends)):
            self._turn += 1
            backend = self.backends[self._turn % len(self.backends)]
            if backend.ready or not self.heed_readiness:
                with suppress(OSError):
                    return await _connection(backend.port)
        return None


@asynccontextmanager
async def front() -> AsyncIterator[Front]:
    it = Front()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    watching = asyncio.create_task(it.watch())
    try:
        yield it
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        server.close()
        await it.end()
        await server.wait_closed()


async def _connection(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises OSError. A cancellation leaves no connection behind."""
    opening = asyncio.ensure_future(asyncio.open_connection("127.0.0.1", port))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(OSError):
            _, writer = await opening
            writer.close()
        raise


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
