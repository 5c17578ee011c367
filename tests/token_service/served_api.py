"""The native API in a thread of its own, for tests that call it with blocking clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.token_service.api_world import api_world

_START_AT_MOST_S = 10.0


@contextmanager
def served_api() -> Iterator[int]:
    """Gives the port."""
    ports: list[int] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with api_world() as world:
            ports.append(world.port)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert started.wait(_START_AT_MOST_S)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_AT_MOST_S)
        loop.close()
