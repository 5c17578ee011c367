"""Background tasks with an owner: none is lost, none dies unseen.

A crashed loop is logged with its traceback, counted in `failing`, and started again after a
growing pause; it doesn't end the process, since the other loops and the readers of live tokens
are better off with it. What a task does belongs to its service.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from types import TracebackType

    from zhongkong.runtime.clock import Clock, Randomness

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
HEALTHY_AFTER_S = 60.0

log = get_logger()


class TaskOwner:
    """Starts tasks and ends them. An async context manager, or `close`."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._tasks: set[asyncio.Task[Any]] = set()
        self._works: set[asyncio.Task[Any]] = set()
        self._failing: dict[str, str] = {}
        self._closed = False

    @property
    def failing(self) -> dict[str, str]:
        """Loops that crashed and have not run for HEALTHY_AFTER_S since: name → error's class."""
        return dict(self._failing)

    def keep(self, name: str, loop: Callable[[], Awaitable[object]]) -> None:
        """Run `loop` until it returns or this owner closes; start it again when it crashes."""
        self._adopt(name, self._keep(name, loop))

    def once(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` to its end. Its exception is the caller's to see, and logged in any case."""
        task = self._adopt(name, work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        task.add_done_callback(_tell)
        return task

    async def finish(self, timeout_s: float) -> None:
        """Wait until the work begun by `once` has ended, at most `timeout_s`; loops go on."""
        if self._works:
            await asyncio.wait(set(self._works), timeout=timeout_s)

    async def close(self, timeout_s: float = 5.0) -> None:
        """Cancel everything and wait for it, at most `timeout_s`. May be repeated."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            return
        _, left = await asyncio.wait(set(self._tasks), timeout=timeout_s)
        for task in left:
            log.error("task_did_not_end", task=task.get_name(), timeout_s=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _adopt(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        if self._closed:
            work.close()
            raise RuntimeError(f"task {name} was started after its owner closed")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep(self, name: str, loop: Callable[[], Awaitable[object]]) -> None:
        crashes = 0
        while True:
            started = self._clock.monotonic()
            healthy = asyncio.ensure_future(self._forgive(name))
            try:
                await loop()
                self._failing.pop(name, None)
                return
            except Exception as error:
                # The outer frame of a loop: it holds no state that its next start would inherit.
                lived_s = self._clock.monotonic() - started
                crashes = 1 if lived_s >= HEALTHY_AFTER_S else crashes + 1
                self._failing[name] = type(error).__name__
                pause_s = self._pause_s(crashes)
                log.exception("task_crashed", task=name, crashes=crashes, pause_s=pause_s)
            finally:
                healthy.cancel()
            await self._clock.sleep(pause_s)

    async def _forgive(self, name: str) -> None:
        await self._clock.sleep(HEALTHY_AFTER_S)
        self._failing.pop(name, None)

    def _pause_s(self, crashes: int) -> float:
        ceiling = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(crashes - 1, 10))
        return self._randomness.uniform(ceiling / 2, ceiling)


def _tell(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", task=task.get_name(), exc_info=error)
