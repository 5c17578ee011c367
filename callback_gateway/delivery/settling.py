"""Tells the inbox how leases ended: what ends in one turn of the loop is told in one call.

While the store is away the leases are kept and the call is repeated; given up, they lapse, and the
events are delivered again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from callback_gateway.delivery.backoff import Backoff
from callback_gateway.inbox.records import Done, Settlement
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback_gateway.delivery.leases import Hold, Leases
    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Attempt, Dead, Release, Retry
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.tasks import TaskOwner

BATCH_LIMIT: Final = 256
WAITING_LIMIT: Final = 4_096
"""Places bound what may wait; this bounds what is turned away without one."""
GIVE_UP_S: Final = 60.0
"""As long as that a delivery made is told again and again, rather than made twice."""

log = get_logger()


@dataclass(slots=True, eq=False)
class _Waiting:
    hold: Hold
    settlement: Settlement
    then: Callable[[bool], None]
    give_up_at: float

    @property
    def counts(self) -> bool:
        """Under a void lease nothing but a delivery made does."""
        return not self.hold.void or isinstance(self.settlement.result, Done)


class Settler:
    """Settles the holds of `leases`, in batches."""

    def __init__(self, inbox: Inbox, leases: Leases, clock: Clock, tasks: TaskOwner) -> None:
        self._inbox = inbox
        self._leases = leases
        self._clock = clock
        self._tasks = tasks
        self._waiting: deque[_Waiting] = deque()
        self._backoff = Backoff()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def settle(
        self,
        hold: Hold,
        result: Done | Retry | Dead | Release,
        attempt: Attempt | None = None,
        *,
        then: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """End a lease. `then(told)` follows when the store was told, or wasn't and won't be."""
        settlement = Settlement(hold.delivery, result, attempt)
        waiting = _Waiting(hold, settlement, then, self._clock.monotonic() + GIVE_UP_S)
        if len(self._waiting) >= WAITING_LIMIT:
            self._end([waiting], told=False)
            return
        self._waiting.append(waiting)
        if self._quiet.is_set():
            self._quiet.clear()
            self._tasks.once("settle_deliveries", self._settle_all())

    def settled(
        self,
        hold: Hold,
        result: Done | Retry | Dead | Release,
        attempt: Attempt | None = None,
    ) -> asyncio.Future[bool]:
        """As `settle`; the future tells whether the store was told."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def tell(told: bool) -> None:  # noqa: FBT001 - the one fact of a callback
            if not future.done():
                future.set_result(told)

        self.settle(hold, result, attempt, then=tell)
        return future

    async def quiet(self) -> None:
        """Wait until nothing waits to be settled."""
        await self._quiet.wait()

    async def _settle_all(self) -> None:
        """Settle batch after batch until nothing waits."""
        try:
            while self._waiting:
                count = min(len(self._waiting), BATCH_LIMIT)
                await self._settle_batch([self._waiting.popleft() for _ in range(count)])
        finally:
            self._quiet.set()
            if self._waiting:  # cut off, or the inbox broke its promise: the leases lapse
                self._end(list(self._waiting), told=False)
                self._waiting.clear()

    async def _settle_batch(self, batch: list[_Waiting]) -> None:
        counting = [each.settlement for each in batch if each.counts]
        for each in batch:
            each.hold.settling = True
        try:
            if counting:
                await self._inbox.settle(counting)
        except StoreUnavailable as problem:
            self._put_back(batch, problem)
            await self._clock.sleep(self._backoff.next_s())
            return
        except BaseException:
            self._end(batch, told=False)
            raise
        self._backoff.reset()
        self._end(batch, told=True)

    def _put_back(self, batch: list[_Waiting], problem: StoreUnavailable) -> None:
        """Keep what may wait for the store, and give up the rest."""
        if not self._backoff.failing:
            log.warning("deliveries_not_settled", count=len(batch), why=str(problem))
        for each in batch:
            each.hold.settling = False
        now = self._clock.monotonic()
        self._waiting.extendleft(each for each in reversed(batch) if each.give_up_at > now)
        late = [each for each in batch if each.give_up_at <= now]
        if late:
            log.error(
                "settling_given_up",
                count=len(late),
                effect="their leases lapse, and they are delivered again",
            )
            self._end(late, told=False)

    def _end(self, batch: list[_Waiting], *, told: bool) -> None:
        for each in batch:
            self._leases.let_go(each.hold)
            each.then(told and each.counts)
