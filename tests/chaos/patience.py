"""Waiting for what other processes do: look again and again, for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 60.0
_LOOK_EVERY_S = 0.03


async def eventually(
    look: Callable[[], Awaitable[T | None]], what: str, *, within_s: float = DEADLINE_S
) -> T:
    """The first truthy thing that `look` returns. Fails after `within_s`, naming `what`."""
    try:
        async with asyncio.timeout(within_s):
            while not (found := await look()):
                await asyncio.sleep(_LOOK_EVERY_S)
            return found
    except TimeoutError:
        raise AssertionError(f"in {within_s} s it did not come true that {what}") from None


async def pass_time(seconds: float) -> None:
    """Let real processes go on for so long: only where what must NOT happen is under test."""
    await asyncio.sleep(seconds)
