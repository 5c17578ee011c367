"""Waits that end early, and never late."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import Event, Future


async def set_within(event: Event, timeout_s: float) -> bool:
    """Wait for an event, at most so long; whether it is set."""
    if not event.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(max(timeout_s, 0.0)):
                await event.wait()
    return event.is_set()


async def true_within(future: Future[bool], timeout_s: float) -> bool:
    """Wait for a future, at most so long, and leave it alone; whether it came, and is true."""
    await asyncio.wait({future}, timeout=max(timeout_s, 0.0))
    return future.done() and future.result()
