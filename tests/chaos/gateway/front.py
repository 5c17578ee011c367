"""The load balancer before the replicas: connections go in turn to those that are ready.

It knows TCP alone, as most do. A connection that is open stays with its replica.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.chaos.patience import pass_time
from tests.fixtures.relays import Connection, connection, relay

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

    async def watch(self) -> None:
        """Ask all again and again, until cancelled."""
        while True:
            backends = list(self.backends)
            answers = await asyncio.gather(*(each.is_ready() for each in backends))
            for backend, ready in zip(backends, answers, strict=True):
                backend.ready = ready
            await pass_time(_LOOK_EVERY_S)

    async def connect(self) -> Connection | None:
        """A connection to the next one that takes it; None when nobody does."""
        for _ in range(len(self.backends)):
            self._turn += 1
            backend = self.backends[self._turn % len(self.backends)]
            if backend.ready or not self.heed_readiness:
                with suppress(OSError):
                    return await connection(backend.port)
        return None


@asynccontextmanager
async def front() -> AsyncIterator[Front]:
    it = Front()
    watching = asyncio.create_task(it.watch())
    try:
        async with relay(it.connect) as it.port:
            yield it
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
