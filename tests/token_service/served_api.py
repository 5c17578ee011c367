"""A listener of the service in a thread of its own, for tests with blocking clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Protocol

from tests.token_service.api_world import api_world

_START_AT_MOST_S = 10.0


class Listening(Protocol):
    """What is served."""

    @property
    def port(self) -> int: ...


@contextmanager
def served_api(
    world: Callable[[], AbstractAsyncContextManager[Listening]] = api_world,
) -> Iterator[int]:
    """Gives the port; by default that of the native API alone."""
    ports: list[int] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with world() as it:
            ports.append(it.port)
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
