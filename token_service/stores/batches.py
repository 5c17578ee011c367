"""The same done to many slots of a store: so many at once, not all, and not one after another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

K = TypeVar("K")
R = TypeVar("R")

_AT_ONCE: Final = 64


async def each(
    keys: Iterable[K],
    work: Callable[[K], Awaitable[R]],
    *,
    between: Callable[[], Awaitable[None]] | None = None,
) -> dict[K, R]:
    """Do the work for each key, `between` after every batch. Raises the first error as it is."""
    left = list(keys)
    done: dict[K, R] = {}
    while left:
        batch, left = left[:_AT_ONCE], left[_AT_ONCE:]
        done |= await _at_once(batch, work)
        if between is not None:
            await between()
    return done


async def _at_once(keys: Iterable[K], work: Callable[[K], Awaitable[R]]) -> dict[K, R]:
    async def one(key: K) -> R:
        return await work(key)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(one(key)) for key in keys}
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {key: task.result() for key, task in tasks.items()}
