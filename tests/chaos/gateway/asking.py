"""Waiting for what a process tells when it is asked: less often, since the answer costs it time.

The machine's few cores belong to the processes under test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.chaos.patience import DEADLINE_S, eventually, pass_time

T = TypeVar("T")

ASK_EVERY_S = 0.2


async def in_time(
    ask: Callable[[], Awaitable[T | None]],
    what: str,
    *,
    within_s: float = DEADLINE_S,
    every_s: float = ASK_EVERY_S,
) -> T:
    """The first truthy thing that `ask` returns, as `eventually`."""

    async def look() -> T | None:
        found = await ask()
        if not found:
            await pass_time(every_s)
        return found

    return await eventually(look, what, within_s=within_s)
