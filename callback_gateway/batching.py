"""Callbacks that come together are stored together: one call to the inbox for all that wait.

A lone callback is stored at once. While a batch is on its way, the next one gathers.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop, timeout
from collections import deque
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Accepted, Arrival
    from callback_gateway.process import Process
    from zhongkong.runtime.tasks import TaskOwner

BATCH_LIMIT: Final = 256
BATCHES_IN_FLIGHT: Final = 1
"""One: a second would halve the batches, and each costs as much as several callbacks."""
WAITING_LIMIT: Final = 8192
STORED_WITHIN_S: Final = 2.5
"""One batch: a store that is away is given up sooner, and the spool takes it in the same call."""

FAILING_FOR_S: Final = 5.0
"""After a failure, unless a batch was stored since; then it is worth trying again."""


class Batcher:
    """Gathers arrivals for one inbox."""

    def __init__(self, inbox: Inbox, process: Process, tasks: TaskOwner) -> None:
        self._inbox = inbox
        self._process = process
        self._tasks = tasks
        self._failed_at: float | None = None
        self._waiting: deque[tuple[Arrival, Future[Accepted]]] = deque()
        self._in_flight = 0

    @property
    def failing(self) -> bool:
        """Whether nothing could be stored just now."""
        if self._failed_at is None:
            return False
        return self._process.clock.monotonic() - self._failed_at < FAILING_FOR_S

    async def accept(self, arrival: Arrival) -> Accepted:
        """Store one arrival. Raises StoreUnavailable, also when too many wait already.

        Cancelling doesn't take it back.
        """
        if len(self._waiting) >= WAITING_LIMIT:
            raise StoreUnavailable(f"{WAITING_LIMIT} callbacks wait to be stored already")
        future: Future[Accepted] = get_running_loop().create_future()
        self._waiting.append((arrival, future))
        if self._in_flight < BATCHES_IN_FLIGHT:
            self._in_flight += 1
            self._tasks.once("inbox_batches", self._store())
        return await future

    async def _store(self) -> None:
        """Store batch after batch until nobody waits."""
        try:
            while self._waiting:
                count = min(len(self._waiting), BATCH_LIMIT)
                await self._store_batch([self._waiting.popleft() for _ in range(count)])
        finally:
            self._in_flight -= 1

    async def _store_batch(self, batch: list[tuple[Arrival, Future[Accepted]]]) -> None:
        try:
            async with timeout(STORED_WITHIN_S):
                answers = await self._inbox.accept(
                    [each for each, _ in batch], owner=self._process.owner
                )
        except (StoreUnavailable, TimeoutError) as trouble:
            self._failed_at = self._process.clock.monotonic()
            for _, future in batch:
                if not future.done():
                    # One error for each: a shared one would gather everybody's traceback.
                    future.set_exception(StoreUnavailable(str(trouble) or "it took too long"))
            return
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        self._failed_at = None
        for (_, future), accepted in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(accepted)
