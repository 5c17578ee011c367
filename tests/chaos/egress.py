"""Ways out to WeChat: with an address of its own, or one on which the answers can be held up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fixtures.redis import HOST
from tests.fixtures.relays import Connection, connection, relay


@asynccontextmanager
async def egress(port: int, address: str) -> AsyncIterator[str]:
    """The URL of a relay to 127.0.0.1:`port` whose connections come from `address`."""
    async with relay(lambda: connection(port, source=address)) as way_out:
        yield f"http://{HOST}:{way_out}"


@asynccontextmanager
async def gated(port: int, gate: asyncio.Event) -> AsyncIterator[str]:
    """The URL of a relay to 127.0.0.1:`port`; its answers go on while `gate` is set."""

    async def connect() -> Connection:
        reader, writer = await connection(port)
        return _Held(reader, gate), writer

    async with relay(connect) as way_out:
        yield f"http://{HOST}:{way_out}"


class _Held(asyncio.StreamReader):
    def __init__(self, reader: asyncio.StreamReader, gate: asyncio.Event) -> None:
        super().__init__()
        self._reader = reader
        self._gate = gate

    async def read(self, n: int = -1) -> bytes:
        chunk = await self._reader.read(n)
        await self._gate.wait()
        return chunk
