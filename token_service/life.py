"""PURE: how long a token may be handed out: its own end, its planned successor, a doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from token_service.freeze import is_half_filled
from token_service.slot import Intent, IntentOutcome, Probe, SlotState, TokenRecord, Verdict

if TYPE_CHECKING:
    from token_service.policy import Policy


@dataclass(frozen=True, slots=True)
class Doubt:
    """A mint may have happened whose token the store doesn't hold: at `since` at the earliest."""

    since: float
    known_at: float
    lands_before: float


def usable_until(state: SlotState, now: float, policy: Policy) -> float:
    """Until when the current token may be handed out; 0 when there is none to believe in."""
    record = state.record
    if record is None or state.condemned is not None or is_half_filled(state.frozen):
        return 0.0
    doubt = doubt_of(state, now)
    if doubt is None:
        return record.expires_at
    early = doubted_end(record, doubt, policy)
    probe = state.probe
    if probe is not None and probe.version == record.version and probe.verdict is Verdict.ALIVE:
        early = max(early, probe.claimed_at + policy.probe_window_s)
    return min(record.expires_at, early)


def doubt_of(state: SlotState, now: float) -> Doubt | None:
    """Whether, and since when, a mint may have happened that isn't the current token's."""
    record = state.record
    if record is None:
        return None
    grounds = [
        intent
        for intent in state.intents
        if intent.call.kills_predecessor
        and (
            intent.outcome is not IntentOutcome.OPEN
            or intent.lands_before <= now
            or intent.sent_at <= record.fetched_at
        )
    ]
    if not grounds:
        return None
    return Doubt(
        since=min(max(intent.sent_at, record.fetched_at) for intent in grounds),
        known_at=min(_known_at(intent, record) for intent in grounds),
        lands_before=max(intent.lands_before for intent in grounds),
    )


def lead_of(record: TokenRecord, policy: Policy) -> float:
    """How long before its end this token is replaced. The jitter is drawn from its version."""
    chance = int(record.version[:8], 16) / 2**32
    lifetime = record.expires_at - record.fetched_at
    return min(policy.lead_s - chance * policy.lead_jitter_s, lifetime / 2)


def planned_at(record: TokenRecord, policy: Policy) -> float:
    """When this token's planned refresh is due."""
    due = record.expires_at - lead_of(record, policy)
    return max(due, record.fetched_at + policy.refetch_apart_s)


def next_doubt(state: SlotState, now: float) -> float:
    """When an open intent turns into a doubt if nothing is heard of it until then."""
    landings = (intent.lands_before for intent in state.intents if intent.call.kills_predecessor)
    return min((at for at in landings if at > now), default=float("inf"))


def _known_at(intent: Intent, record: TokenRecord) -> float:
    if intent.settled_at is not None:
        return max(intent.settled_at, record.fetched_at)
    if intent.sent_at <= record.fetched_at:
        return record.fetched_at
    return intent.lands_before


def doubted_end(record: TokenRecord, doubt: Doubt, policy: Policy) -> float:
    return min(record.expires_at, doubt.since + policy.overlap_s - policy.overlap_margin_s)


def probe_of(record: TokenRecord, state: SlotState) -> Probe | None:
    probe = state.probe
    return probe if probe is not None and probe.version == record.version else None
