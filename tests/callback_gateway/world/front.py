"""A load balancer of TCP connections: each goes to the next backend that can be reached."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from tests.fixtures.relays import Connection, connection, relay


class Front:
    """`ports` are the backends; `chosen` the backend of each connection, in order."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._count = len(ports)
        self._turns = itertools.cycle(ports)
        self.chosen: list[int] = []
        self.port = 0

    async def connect(self) -> Connection | None:
        for port in itertools.islice(self._turns, self._count):
            with suppress(OSError):
                made = await connection(port)
                self.chosen.append(port)
                return made
        return None


@asynccontextmanager
async def round_robin(*ports: int) -> AsyncIterator[Front]:
    front = Front(ports)
    async with relay(front.connect) as front.port:
        yield front
