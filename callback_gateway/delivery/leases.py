"""The leases that this process holds: renewed by one heartbeat, let go when they are void."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from callback_gateway.delivery.waits import set_within
from callback_gateway.inbox.records import HEARTBEAT_S
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Delivery, Kind
    from zhongkong.runtime.clock import Clock

log = get_logger()


class Hold:
    """One lease in our hands. `void`: the store gave the delivery to somebody else, or lost it.

    `settling`: the store is being told of its end, so that a renewal may find it gone already.
    """

    __slots__ = ("_since", "delivery", "settling", "void")

    def __init__(self, delivery: Delivery, now: float) -> None:
        self.delivery = delivery
        self.void = False
        self.settling = False
        self._since = now

    @property
    def name(self) -> tuple[str, str, Kind, str]:
        delivery = self.delivery
        return delivery.event_id, delivery.target, delivery.kind, delivery.lease

    def window_left_s(self, now: float) -> float:
        """How long somebody may still wait for the reply (`now` monotonic); endless for notify."""
        until = self.delivery.reply_until
        return inf if until is None else until - self.delivery.now - (now - self._since)


class Leases:
    """All holds. `keep` renews them until `stop`."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        self._held: set[Hold] = set()
        self._stopped = asyncio.Event()
        self._away = False

    @property
    def count(self) -> int:
        """How many are held."""
        return len(self._held)

    def hold(self, delivery: Delivery) -> Hold:
        """Take charge of a lease just given."""
        hold = Hold(delivery, self._clock.monotonic())
        self._held.add(hold)
        return hold

    def let_go(self, hold: Hold) -> None:
        """Renew it no more. May be repeated."""
        self._held.discard(hold)

    def stop(self) -> None:
        """End `keep`: what is still held lapses, and somebody else takes it up."""
        self._stopped.set()

    async def keep(self) -> None:
        """Renew every HEARTBEAT_S."""
        next_at = self._clock.monotonic() + HEARTBEAT_S
        while not await set_within(self._stopped, next_at - self._clock.monotonic()):
            next_at = max(next_at + HEARTBEAT_S, self._clock.monotonic())
            await self._renew()

    async def _renew(self) -> None:
        held = {hold.name: hold for hold in self._held if not hold.settling}
        if not held:
            return
        try:
            void = await self._inbox.renew([hold.delivery for hold in held.values()])
        except StoreUnavailable as problem:
            if not self._away:
                log.warning("leases_not_renewed", count=len(held), why=str(problem))
            self._away = True
            return
        self._away = False
        for delivery in void:
            hold = held[delivery.event_id, delivery.target, delivery.kind, delivery.lease]
            if hold in self._held and not hold.settling:  # else it was settled meanwhile
                hold.void = True
                self.let_go(hold)
                log.info("lease_lost", event_id=delivery.event_id, target=delivery.target)
