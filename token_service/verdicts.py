"""PURE: what probes and evidence do to the current token of a slot."""

from __future__ import annotations

from dataclasses import replace

from token_service.intents import killers
from token_service.slot import (
    Call,
    Condemned,
    ForeignRefreshes,
    Probe,
    SlotState,
    TokenRecord,
    Verdict,
)
from zhongkong.wechat.limits import TOKEN_OVERLAP_S


def claim_probe(
    state: SlotState, version: str, *, window_s: float, now: float
) -> tuple[SlotState, Probe, bool]:
    """Claim the one probe of a version within `window_s`; else the newest probe and False."""
    probe = state.probe
    if probe is not None and probe.version == version and probe.claimed_at + window_s > now:
        return state, probe, False
    claimed = Probe(version, now)
    return replace(state, probe=claimed), claimed, True


def settle_probe(state: SlotState, probe: Probe, verdict: Verdict, *, now: float) -> SlotState:
    """Record what a probe found, and what follows from it for the current token."""
    if state.probe is not None and state.probe.claimed_at <= probe.claimed_at:
        state = replace(state, probe=replace(probe, verdict=verdict))
    record = state.record
    if record is None or record.version != probe.version:
        return state
    if verdict is Verdict.DEAD:
        return _condemn(state, record, probed=True, now=now)
    if verdict is Verdict.ALIVE:
        return _acquit(state, record, probe)
    return state


def condemn(state: SlotState, version: str, *, now: float) -> SlotState:
    """Mark the current token dead on evidence; an older version is no news."""
    record = state.record
    if record is None or record.version != version or state.condemned is not None:
        return state
    return _condemn(state, record, probed=False, now=now)


def count_foreign(state: SlotState, record: TokenRecord, *, now: float) -> SlotState:
    """A token neither replaced nor doubted by us, whose time isn't up, was killed by others."""
    if now >= record.expires_at or killers(state):
        return state
    return replace(state, foreign=ForeignRefreshes(state.foreign.count + 1, now))


def is_certain_at_once(record: TokenRecord) -> bool:
    """A refused classic token is replaced without asking; a stable one may yet prove to live."""
    return record.call is Call.CLASSIC


def _condemn(state: SlotState, record: TokenRecord, *, probed: bool, now: float) -> SlotState:
    earlier = state.condemned
    if earlier is None and (probed or is_certain_at_once(record)):
        state = count_foreign(state, record, now=now)
    elif earlier is not None and probed and not earlier.probed and not is_certain_at_once(record):
        state = count_foreign(state, record, now=now)
    at = now if earlier is None else earlier.at
    return replace(
        state, condemned=Condemned(at, probed or (earlier is not None and earlier.probed))
    )


def _acquit(state: SlotState, record: TokenRecord, probe: Probe) -> SlotState:
    """Alive: nothing said before the probe stands, and a kill that old would have shown by now."""
    if state.condemned is not None and state.condemned.at < probe.claimed_at:
        state = replace(state, condemned=None)
    pending = tuple(
        intent
        for intent in state.intents
        if max(intent.lands_before, record.fetched_at) + TOKEN_OVERLAP_S > probe.claimed_at
    )
    return state if len(pending) == len(state.intents) else replace(state, intents=pending)
