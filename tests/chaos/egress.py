"""A way out with an address of its own, as another node's NAT gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fixtures.redis import HOST
from tests.fixtures.relays import connection, relay


@asynccontextmanager
async def egress(port: int, address: str) -> AsyncIterator[str]:
    """The URL of a relay to 127.0.0.1:`port` whose connections come from `address`."""
    async with relay(lambda: connection(port, source=address)) as way_out:
        yield f"http://{HOST}:{way_out}"
