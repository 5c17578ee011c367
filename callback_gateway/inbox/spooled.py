"""An inbox that goes on accepting while its store is away, into a local file.

The store is away from the first call that fails until it has accepted again. Nothing but a probe a
second reaches for it while it is silent; where it answers and only refuses to accept (its memory is
full, say), all else goes on. Then `run` moves what was spooled into it.

An event is answered from the spool for as long as it lies there. Of what only the store knows,
nothing is known while it is silent: those methods raise StoreUnavailable at once.

`durability: replicated` can't be kept by a file: what is in the spool is on this machine's disk.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from callback_gateway.inbox.records import Verdict
from callback_gateway.inbox.spool import is_local
from callback_gateway.inbox.spool_drain import SpoolDrain
from callback_gateway.inbox.store_watch import StoreWatch
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import (
        Accepted,
        Arrival,
        Delivery,
        Depth,
        Joined,
        Page,
        Selection,
        Settlement,
    )
    from callback_gateway.inbox.spool import Spool
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.clock import Clock

T = TypeVar("T")

PATIENCE_S: Final = 1.5
"""For the store to accept; then the spool does."""


class SpooledInbox:
    """Holds the promises of `base.Inbox` by a store and, while that is away, by a spool."""

    def __init__(
        self, primary: Inbox, spool: Spool, *, clock: Clock, observer: StoreObserver | None = None
    ) -> None:
        """Take both over: `close` closes them. `run` must run."""
        self._primary = primary
        self._spool = spool
        self._observer = observer
        self._watch = StoreWatch(clock, observer)
        self._drain = SpoolDrain(primary, spool, self._watch, clock, observer)

    @property
    def away(self) -> bool:
        """Whether the store has failed, and not accepted since."""
        return self._watch.away

    @property
    def drained(self) -> bool:
        """Whether everything is in the store."""
        return len(self._spool) == 0

    async def waiting(self) -> int:
        """How many events are in the spool."""
        return len(self._spool)

    async def run(self) -> None:
        """Probe the store while it is silent, and drain the spool otherwise. Never ends."""
        await self._drain.run()

    async def drain(self, timeout_s: float) -> bool:
        """Move all into the store, at most for so long; returns whether nothing is left."""
        return await self._drain.finish(timeout_s)

    # -- what the spool stands in for ------------------------------------------------------------

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        resting = self._watch.resting
        here = [resting or arrival.event_id in self._spool for arrival in arrivals]
        those = [each for each, is_here in zip(arrivals, here, strict=True) if not is_here]
        if not those:
            return await self._accept_here(arrivals, owner)
        try:
            async with asyncio.timeout(PATIENCE_S):
                stored = await self._primary.accept(those, owner=owner)
        except (StoreUnavailable, TimeoutError) as trouble:
            self._watch.failed(trouble)
            return await self._accept_here(arrivals, owner)
        if self.drained:
            self._watch.accepted()
        if len(those) == len(arrivals):
            return stored
        known = [each for each, is_here in zip(arrivals, here, strict=True) if is_here]
        spooled, answers = iter(await self._accept_here(known, owner)), iter(stored)
        return [next(spooled if is_here else answers) for is_here in here]

    async def join(self, account: str, event_id: str, *, owner: str) -> Joined:
        if event_id in self._spool:
            joined = await self._spool.join(event_id, owner=owner)
            if joined is not None:
                return joined
        self._watch.check()
        return await self._asked(self._primary.join(account, event_id, owner=owner))

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Local leases are renewed in any case; then it may raise for the store's."""
        local = [each for each in deliveries if is_local(each)]
        others = [each for each in deliveries if not is_local(each)]
        void = await self._spool.renew(local) if local else []
        if others:
            self._watch.check()
            void += await self._asked(self._primary.renew(others))
        return void

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Local leases are settled in any case; then it may raise for the store's."""
        local = [each for each in settlements if is_local(each.delivery)]
        others = [each for each in settlements if not is_local(each.delivery)]
        if local:
            # What was moved meanwhile is in the store, where Done counts under any lease.
            others += await self._spool.settle(local)
        if others:
            self._watch.check()
            await self._asked(self._primary.settle(others))

    async def purge(self, *, limit: int = 1000) -> int:
        await self._spool.purge()
        self._watch.check()
        return await self._asked(self._primary.purge(limit=limit))

    async def close(self) -> None:
        await self._primary.close()
        await self._spool.close()

    # -- what only the store can say -------------------------------------------------------------

    async def lease(self, wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        self._watch.check()
        return await self._asked(self._primary.lease(wanted, owner=owner))

    async def next_due_in(self, targets: Sequence[str]) -> float | None:
        self._watch.check()
        return await self._asked(self._primary.next_due_in(targets))

    async def hasten(self, target: str) -> int:
        self._watch.check()
        return await self._asked(self._primary.hasten(target))

    async def disable(self, target: str, fingerprint: str) -> None:
        self._watch.check()
        await self._asked(self._primary.disable(target, fingerprint))

    async def enable(self, target: str) -> bool:
        self._watch.check()
        return await self._asked(self._primary.enable(target))

    async def disabled(self) -> Mapping[str, str]:
        self._watch.check()
        return await self._asked(self._primary.disabled())

    async def dead_letters(
        self, selection: Selection, *, after: str | None = None, limit: int = 100
    ) -> Page:
        self._watch.check()
        return await self._asked(self._primary.dead_letters(selection, after=after, limit=limit))

    async def redrive(self, selection: Selection, *, limit: int = 1000) -> int:
        self._watch.check()
        return await self._asked(self._primary.redrive(selection, limit=limit))

    async def drop(self, selection: Selection, *, limit: int = 1000) -> int:
        self._watch.check()
        return await self._asked(self._primary.drop(selection, limit=limit))

    async def depth(self) -> Depth:
        self._watch.check()
        return await self._asked(self._primary.depth())

    async def _asked(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except StoreUnavailable as trouble:
            self._watch.failed(trouble)
            raise

    async def _accept_here(self, arrivals: Sequence[Arrival], owner: str) -> list[Accepted]:
        accepted = await self._spool.accept(arrivals, owner=owner)
        count = sum(answer.verdict is Verdict.NEW for answer in accepted)
        if count and self._observer is not None:
            self._observer.spooled(count)
        return accepted
