"""Moving what was spooled into the store, and probing the store until that can be.

An event is removed from the spool only when the store has it: a crash in between moves it again,
and the store knows it. What is said to the store is decided in draining.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from callback_gateway.inbox import draining
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Accepted, Settlement
    from callback_gateway.inbox.spool import Spool
    from callback_gateway.inbox.spool_moving import Spooled
    from callback_gateway.inbox.store_watch import StoreWatch
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.clock import Clock

PROBE_EVERY_S: Final = 1.0
PROBE_TIMEOUT_S: Final = 1.5
BATCH: Final = 64

_LOOK_EVERY_S: Final = 0.1
"""At the end, when it is to be drained soon."""
_OWNER: Final = "spool"
"""Names the leases that come of moving."""

log = get_logger()


class SpoolDrain:
    """The loop of one spool."""

    def __init__(
        self,
        primary: Inbox,
        spool: Spool,
        watch: StoreWatch,
        clock: Clock,
        observer: StoreObserver | None,
    ) -> None:
        self._primary = primary
        self._spool = spool
        self._watch = watch
        self._clock = clock
        self._observer = observer
        self._moving = asyncio.Lock()

    async def run(self) -> None:
        """Probe while the store is silent, and drain otherwise. Never ends."""
        while True:
            await self._step()
            await self._watch.pause(PROBE_EVERY_S)

    async def finish(self, timeout_s: float) -> bool:
        """Drain for so long at most; returns whether nothing is left."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self._spool):
                    await self._step()
                    if len(self._spool):
                        await self._clock.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            log.warning("spool_not_drained", left=len(self._spool), timeout_s=timeout_s)
        return not len(self._spool)

    async def _step(self) -> None:
        if self._watch.silent:
            await self._probe()
        if self._watch.resting:
            return
        if not len(self._spool):
            self._watch.accepted()
            return
        try:
            async with self._moving:
                await self._move_all()
        except StoreUnavailable as trouble:
            self._watch.failed(trouble)

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._primary.disabled()
        except (StoreUnavailable, TimeoutError):
            return
        self._watch.answered()

    async def _move_all(self) -> None:
        moved = 0
        while waiting := await self._spool.waiting(BATCH):
            count = await self._move(waiting)
            moved += count
            if count < len(waiting):
                break  # the store is full: the rest waits here
        if moved:
            log.info("spool_drained", count=moved, left=len(self._spool))

    async def _move(self, waiting: Sequence[Spooled]) -> int:
        """Move so many of these as the store takes; returns how many."""
        try:
            answers = await self._tell(waiting)
        except StoreUnavailable:
            await self._spool.stay([each.arrival.event_id for each in waiting])
            raise
        gone: list[str] = []
        stayed: list[str] = []
        for each, answer in zip(waiting, answers, strict=True):
            event_id = each.arrival.event_id
            (gone if draining.is_moved(answer) else stayed).append(event_id)
            if draining.is_refused(answer):
                log.error("spooled_event_altered", event_id=event_id)
        await self._spool.remove(gone)
        await self._spool.stay(stayed)
        if gone:
            self._watch.accepted()
            if self._observer is not None:
                self._observer.drained(len(gone))
        return len(gone)

    async def _tell(self, waiting: Sequence[Spooled]) -> list[list[Accepted]]:
        """Hand them to the store with their replies; returns its answers to each one's tries."""
        told = [draining.arrivals_of(each, self._clock.now()) for each in waiting]
        flat = iter(
            await self._primary.accept([each for tries in told for each in tries], owner=_OWNER)
        )
        answers = [[next(flat) for _ in tries] for tries in told]
        settlements: list[Settlement] = []
        for each, answer in zip(waiting, answers, strict=True):
            settlement = draining.settlement_of(each, answer)
            if settlement is not None:
                settlements.append(settlement)
        await self._primary.settle(settlements)
        return answers
