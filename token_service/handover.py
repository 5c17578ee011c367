"""PURE: what a move between stores does to a slot: filled at one end, doubted when taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from token_service.freeze import Way
from token_service.intents import fold
from token_service.slot import Call, Cause, Fence, Intent, IntentOutcome, SlotState

if TYPE_CHECKING:
    from token_service.freeze import Freeze


def take_over(state: SlotState, given: SlotState, copy: str) -> tuple[SlotState, bool]:
    """Fill a slot with another store's, as this copy; False where that isn't allowed (any more).

    The counter goes on from the highest fence that was ever granted, so that every later grant is
    above it. What belongs to the replicas of the other store stays behind: leases and refusals.
    """
    fences = [intent.fence.counter for intent in given.intents]
    if given.record is not None:
        fences.append(given.record.fence.counter)
    counter = max(given.counter, *fences, 0)
    freeze = state.frozen
    mine = freeze is not None and (freeze.way, freeze.copy) == (Way.IN, copy)
    if not mine or state.counter > counter:
        return state, False
    return replace(
        given,
        generation=state.generation,
        born_at=state.born_at,
        counter=counter,
        committed=given.record is not None,
        lease=None,
        refusals=(),
        frozen=freeze,
    ), True


def take_back(state: SlotState, freeze: Freeze, *, now: float) -> SlotState:
    """A person lifts a freeze, during which another store's service may have minted.

    That is in doubt as a call is whose outcome isn't known. A ticket isn't: none ends another.
    """
    record = state.record
    if record is None or record.call is Call.TICKET:
        return state
    others = tuple(intent for intent in state.intents if intent.holder != freeze.copy)
    elsewhere = Intent(
        Fence(state.generation, 0),
        freeze.copy,
        Call.CLASSIC if record.call is Call.CLASSIC else Call.FORCED,
        Cause.DOUBT,
        sent_at=freeze.at,
        lands_before=now,
        outcome=IntentOutcome.UNKNOWN,
        settled_at=now,
    )
    return replace(state, intents=fold((*others, elsewhere), now))
