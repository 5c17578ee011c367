"""PURE: the calls that were announced for a slot, and what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from token_service.slot import Intent, IntentOutcome, Lease, SlotState, TokenRecord

_INTENTS_KEPT: Final = 32


def is_of(intent: Intent, lease: Lease) -> bool:
    return (intent.fence, intent.holder) == (lease.fence, lease.holder)


def intent_of(state: SlotState, lease: Lease) -> Intent | None:
    return next((intent for intent in state.intents if is_of(intent, lease)), None)


def killers(state: SlotState) -> tuple[Intent, ...]:
    return tuple(intent for intent in state.intents if intent.call.kills_predecessor)


def missing(
    state: SlotState, intents: tuple[Intent, ...], record: TokenRecord
) -> tuple[Intent, ...]:
    known = {(intent.fence, intent.holder) for intent in state.intents}
    return tuple(
        intent
        for intent in intents
        if (intent.fence, intent.holder) not in known and intent.fence != record.fence
    )


def fold(intents: tuple[Intent, ...], now: float) -> tuple[Intent, ...]:
    """Bound what a long outage leaves behind: the oldest landed intents become one that spans them.

    Landed calls that kill nothing say nothing any more.
    """
    excess = len(intents) - _INTENTS_KEPT
    if excess <= 0:
        return intents
    landed = [intent for intent in intents if intent.lands_before <= now]
    killers = [intent for intent in landed if intent.call.kills_predecessor]
    excess -= len(landed) - len(killers)
    kept = tuple(intent for intent in intents if intent not in landed)
    return (*_span(killers, max(excess, 0) + 1), *kept)


def _span(intents: list[Intent], size: int) -> list[Intent]:
    """Merge the first `size` intents into one that says all that they said together."""
    merged = intents[:size]
    if len(merged) < 2:
        return intents
    span = replace(
        merged[-1],
        sent_at=min(intent.sent_at for intent in merged),
        lands_before=max(intent.lands_before for intent in merged),
        outcome=IntentOutcome.UNKNOWN,
        settled_at=min(
            intent.lands_before if intent.settled_at is None else intent.settled_at
            for intent in merged
        ),
    )
    return [span, *intents[size:]]
