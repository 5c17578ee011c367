"""The attempts under way: begun, counted, waited for at the end, or cut off."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from zhongkong.runtime.tasks import TaskOwner

_CUT_S: Final = 1.0


class Work:
    """Tasks of one kind within an owner's."""

    def __init__(self, tasks: TaskOwner) -> None:
        self._tasks = tasks
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def count(self) -> int:
        """How many are under way."""
        return len(self._under_way)

    def begin(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Start one."""
        task = self._tasks.once(name, work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def ended(self) -> None:
        """Wait until none is under way, those included that begin meanwhile."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    async def cut_off(self) -> None:
        """End them now; one that doesn't let itself be ended is its owner's to report."""
        for task in self._under_way:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CUT_S):
                await self.ended()
