"""What the inbox in memory holds, and the steps that change it. The methods are in memory.py."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from callback_gateway.inbox import codec
from callback_gateway.inbox.memory_rows import StoredDelivery, StoredEvent
from callback_gateway.inbox.records import (
    NOWHERE,
    DeadLetter,
    Delivery,
    Kind,
    ReplyState,
)

if TYPE_CHECKING:
    from callback_gateway.inbox.records import Arrival, Attempt, Selection


class Tables:
    """Events, deliveries, dead letters and stamps. No step waits, so each call is atomic."""

    def __init__(self) -> None:
        self.events: dict[str, StoredEvent] = {}
        self.lanes: dict[str, dict[tuple[int, Kind], StoredDelivery]] = {}
        """Deliveries by target."""
        self.letters: dict[str, tuple[int, DeadLetter]] = {}
        """With positions, which grow in order of death."""
        self.stamps: dict[str, tuple[str, float]] = {}
        """Proof → body, first seen at."""
        self._undelivered = 0
        self._numbers = count(1)
        self._positions = count(1)

    @property
    def held(self) -> int:
        """What the limit bounds."""
        return self._undelivered + len(self.letters)

    def lane(self, target: str) -> list[StoredDelivery]:
        return list(self.lanes.get(target, {}).values())

    def add(self, arrival: Arrival, now: float) -> StoredEvent:
        """Store a NEW event with its deliveries, all due at once, or its dead letter."""
        state = codec.first_state(arrival)
        event = StoredEvent(
            arrival.event_id, next(self._numbers), arrival.account, state, accepted_at=now
        )
        self.events[event.id] = event
        if arrival.malformed is not None:
            unread = StoredDelivery(event, NOWHERE, Kind.NOTIFY, now)
            self._put(unread, arrival.document)
            self.bury(unread, arrival.malformed, (), now)
            return event
        for target in arrival.notify:
            copy = StoredDelivery(event, target, Kind.NOTIFY, now, marks=arrival.marks)
            self._put(copy, arrival.document)
        if arrival.replier is not None:
            asked = StoredDelivery(event, arrival.replier, Kind.REPLY, now, marks=arrival.marks)
            asked.reply_until = now + arrival.reply_within_s
            self._put(asked, arrival.document)
        return event

    def take_over(self, event: StoredEvent, name: str, now: float) -> Delivery | None:
        """Lease the event's reply delivery when it is due."""
        for standing in event.standing.values():
            if standing.kind is Kind.REPLY and standing.due <= now:
                return self.lease(standing, name, now)
        return None

    def lease(self, standing: StoredDelivery, name: str, now: float) -> Delivery:
        """Lease a delivery that is due; a lease that it still had was cut off."""
        if standing.lease is not None:
            standing.cut_off += 1
        standing.lease = name
        standing.due = now + codec.lease_s(standing.kind)
        return Delivery(
            event_id=standing.event.id,
            account=standing.event.account,
            target=standing.target,
            kind=standing.kind,
            document=standing.event.document,
            lease=name,
            attempts=standing.attempts,
            failures=standing.failures,
            cut_off=standing.cut_off,
            accepted_at=standing.event.accepted_at,
            reply_until=standing.reply_until,
            now=now,
            marks=standing.marks,
        )

    def standing(self, delivery: Delivery) -> StoredDelivery | None:
        event = self.events.get(delivery.event_id)
        return None if event is None else event.standing.get((delivery.target, delivery.kind))

    def leased(self, delivery: Delivery) -> StoredDelivery | None:
        """The delivery that this lease is of; None when the lease is void."""
        standing = self.standing(delivery)
        return standing if standing and standing.lease == delivery.lease else None

    def finish(self, standing: StoredDelivery) -> None:
        """A delivery is over; the event goes with its last one and leaves its id behind."""
        del self.lanes[standing.target][standing.name]
        del standing.event.standing[standing.target, standing.kind]
        if not standing.event.standing:
            standing.event.document = b""
            self._undelivered -= 1

    def bury(
        self, standing: StoredDelivery, reason: str, attempts: tuple[Attempt, ...], now: float
    ) -> None:
        """A delivery becomes a dead letter; an answer that it was to bring is given up."""
        event = standing.event
        letter = DeadLetter(
            id=codec.dead_letter_id(event.id, standing.target),
            event_id=event.id,
            account=event.account,
            target=standing.target,
            kind=standing.kind,
            reason=reason,
            died_at=now,
            accepted_at=event.accepted_at,
            document=event.document,
            attempts=attempts,
        )
        self.letters[letter.id] = (next(self._positions), letter)
        self.finish(standing)
        if standing.kind is Kind.REPLY and event.reply_state is ReplyState.RUNNING:
            event.reply_state = ReplyState.GIVEN_UP

    def chosen(self, selection: Selection) -> list[tuple[int, DeadLetter]]:
        """The dead letters of a selection with their positions, the oldest first."""
        chosen = [entry for entry in self.letters.values() if _fits(entry[1], selection)]
        return sorted(chosen, key=lambda entry: entry[0])

    def revive(self, letter: DeadLetter, now: float) -> None:
        """Make a dead letter a delivery again, under an id that may have been forgotten."""
        del self.letters[letter.id]
        event = self.events.get(letter.event_id)
        if event is None:
            state = codec.revived_state(letter.kind)
            event = StoredEvent(
                letter.event_id, next(self._numbers), letter.account, state, letter.accepted_at
            )
            self.events[event.id] = event
        standing = event.standing.get((letter.target, Kind.NOTIFY))
        if standing is not None and standing.lease is not None:
            return
        redriven = StoredDelivery(
            event, letter.target, Kind.NOTIFY, now, marks=codec.REDRIVEN_MARKS
        )
        self._put(redriven, letter.document)

    def _put(self, standing: StoredDelivery, document: bytes) -> None:
        if not standing.event.standing:
            standing.event.document = document
            self._undelivered += 1
        standing.event.standing[standing.target, standing.kind] = standing
        self.lanes.setdefault(standing.target, {})[standing.name] = standing


def _fits(letter: DeadLetter, selection: Selection) -> bool:
    if selection.ids:
        return letter.id in selection.ids
    fits_account = selection.account in {None, letter.account}
    return fits_account and selection.target in {None, letter.target}
