"""The inbox in memory: for the simulation and for tests. It serves replicas of one event loop.

It looks through all it holds, and loses all with its process. What it holds is in memory_tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callback_gateway.inbox import codec, memory_upkeep
from callback_gateway.inbox.memory_tables import Tables
from callback_gateway.inbox.records import (
    NOWHERE,
    Accepted,
    Dead,
    Done,
    Joined,
    Kind,
    Page,
    ReplyState,
    Retry,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from callback_gateway.inbox.memory_rows import StoredDelivery
    from callback_gateway.inbox.records import (
        Arrival,
        Delivery,
        Depth,
        Keeping,
        Selection,
        Settlement,
        Stamp,
    )
    from zhongkong.runtime.clock import Clock, Randomness


class MemoryInbox:
    """Holds the promises of `base.Inbox`, except that nothing outlives the process."""

    def __init__(self, clock: Clock, randomness: Randomness, keeping: Keeping) -> None:
        self._clock = clock
        self._randomness = randomness
        self._keeping = keeping
        self._tables = Tables()
        self._disabled: dict[str, str] = {}

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        name = self._lease_name(owner)
        return [self._accept(arrival, name, self._clock.now()) for arrival in arrivals]

    async def join(self, account: str, event_id: str, *, owner: str) -> Joined:
        name = self._lease_name(owner)
        event = self._tables.events.get(event_id)
        if event is None or event.account != account:
            return Joined(ReplyState.GIVEN_UP)
        lease = self._tables.take_over(event, name, self._clock.now())
        return Joined(event.reply_state, event.reply, lease)

    async def lease(self, wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        now, name = self._clock.now(), self._lease_name(owner)
        due: list[StoredDelivery] = []
        for target, most in wanted.items():
            lane = [each for each in self._tables.lane(target) if each.due <= now]
            due += sorted(lane, key=lambda each: each.rank)[: max(most, 0)]
        due.sort(key=lambda each: each.rank)
        return [self._tables.lease(each, name, now) for each in due]

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        now = self._clock.now()
        void: list[Delivery] = []
        for delivery in deliveries:
            standing = self._tables.leased(delivery)
            if standing is None:
                void.append(delivery)
            else:
                standing.due = now + codec.lease_s(delivery.kind)
        return void

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        now = self._clock.now()
        for settlement in settlements:
            if isinstance(settlement.result, Done):
                self._finish(settlement.delivery, settlement.result)
            else:
                self._fail(settlement, now)

    async def next_due_in(self, targets: Sequence[str]) -> float | None:
        now = self._clock.now()
        due = [each.due for target in targets for each in self._tables.lane(target)]
        return max(0.0, min(due) - now) if due else None

    async def hasten(self, target: str) -> int:
        now = self._clock.now()
        waiting = [
            each for each in self._tables.lane(target) if each.lease is None and each.due > now
        ]
        for each in waiting:
            each.due = now
        return len(waiting)

    async def disable(self, target: str, fingerprint: str) -> None:
        self._disabled[target] = fingerprint

    async def enable(self, target: str) -> bool:
        return self._disabled.pop(target, None) is not None

    async def disabled(self) -> Mapping[str, str]:
        return dict(self._disabled)

    async def dead_letters(
        self, selection: Selection, *, after: str | None = None, limit: int = 100
    ) -> Page:
        begin = codec.decode_cursor(after)
        found = [entry for entry in self._tables.chosen(selection) if entry[0] > begin]
        shown = found[:limit]
        more = len(found) > len(shown)
        return Page(
            tuple(letter for _, letter in shown),
            codec.encode_cursor(shown[-1][0]) if more else None,
        )

    async def redrive(self, selection: Selection, *, limit: int = 1000) -> int:
        now = self._clock.now()
        letters = [each for _, each in self._tables.chosen(selection) if each.target != NOWHERE]
        for letter in letters[:limit]:
            self._tables.revive(letter, now)
        return len(letters[:limit])

    async def drop(self, selection: Selection, *, limit: int = 1000) -> int:
        letters = self._tables.chosen(selection)[:limit]
        for _, letter in letters:
            del self._tables.letters[letter.id]
        return len(letters)

    async def purge(self, *, limit: int = 1000) -> int:
        return memory_upkeep.purge(self._tables, self._keeping, self._clock.now(), limit)

    async def depth(self) -> Depth:
        return memory_upkeep.depth(self._tables, self._keeping.limit, self._clock.now())

    async def close(self) -> None:
        """Nothing to let go of."""

    def _lease_name(self, owner: str) -> str:
        return codec.lease_name(owner, self._randomness.token(codec.NONCE_BYTES))

    def _accept(self, arrival: Arrival, name: str, now: float) -> Accepted:
        if arrival.stamp is not None and self._is_altered(arrival.stamp):
            return Accepted(Verdict.ALTERED)
        verdict = Verdict.NEW
        event = self._tables.events.get(arrival.event_id)
        if event is not None:
            verdict = Verdict.DUPLICATE
            event.tries += 1
        elif codec.needs_room(arrival) and self._tables.held >= self._keeping.limit:
            return Accepted(Verdict.FULL)
        else:
            event = self._tables.add(arrival, now)
        if arrival.stamp is not None:
            self._tables.stamps.setdefault(arrival.stamp.proof, (arrival.stamp.body, now))
        lease = self._tables.take_over(event, name, now)
        return Accepted(verdict, event.tries, event.reply_state, event.reply, lease)

    def _is_altered(self, stamp: Stamp) -> bool:
        body, _ = self._tables.stamps.get(stamp.proof, (stamp.body, 0.0))
        return body != stamp.body

    def _finish(self, delivery: Delivery, done: Done) -> None:
        standing = self._tables.standing(delivery)
        if standing is None:
            return
        self._tables.finish(standing)
        if delivery.kind is Kind.REPLY and standing.event.reply_state is ReplyState.RUNNING:
            standing.event.reply_state = ReplyState.ANSWERED
            standing.event.reply = done.reply or b""

    def _fail(self, settlement: Settlement, now: float) -> None:
        standing = self._tables.leased(settlement.delivery)
        if standing is None:
            return
        result, attempts = settlement.result, codec.attempts_after(settlement)
        if isinstance(result, Dead):
            self._tables.bury(standing, result.reason, attempts, now)
            return
        standing.lease = None
        standing.attempts = attempts
        standing.due = now
        if isinstance(result, Retry):
            standing.failures += 1
            standing.due = now + result.after_s
