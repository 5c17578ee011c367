"""PURE: what one slot calls for now: wait, fetch, probe or restore.

Every function takes the state, what only this replica knows, the store's `now` and the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from token_service.freeze import ends_at, stands
from token_service.life import (
    Doubt,
    doubt_of,
    doubted_end,
    lead_of,
    next_doubt,
    planned_at,
    probe_of,
    usable_until,
)
from token_service.obstacles import (
    Reason,
    by_budget,
    by_forced_interval,
    by_freeze,
    by_landing,
    by_lease,
    held_back,
)
from token_service.slot import Call, Cause, Condemned, SlotState, TokenRecord, Verdict
from token_service.transitions import lacks_intents, may_restore

if TYPE_CHECKING:
    from token_service.policy import Policy, Replica


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`; `reason` when something is due but held back."""

    until: float
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask WeChat for a token, under a lease."""

    call: Call
    cause: Cause


@dataclass(frozen=True, slots=True)
class Ask:
    """Probe this record's token: one cheap call with it, at most one in `window_s`."""

    record: TokenRecord
    window_s: float


@dataclass(frozen=True, slots=True)
class Restore:
    """Give the store back the record that it lost."""

    record: TokenRecord


Action = Wait | Fetch | Ask | Restore


@dataclass(frozen=True, slots=True)
class _Want:
    at: float
    action: Fetch | Ask


def decide(state: SlotState, me: Replica, now: float, policy: Policy) -> Action:
    """The next action for this slot on this replica."""
    reseeding = _reseed(state, me, now, policy)
    if reseeding is not None:
        return reseeding
    until, reason = min(next_doubt(state, now), _thaws_at(state, now)), None
    for want in sorted(_wanted(state, now, policy), key=_fetches_last):
        obstacle = None
        if want.at <= now and isinstance(want.action, Fetch):
            obstacle = held_back(want.action.call, state, me, now, policy)
        if want.at <= now and obstacle is None:
            return want.action
        until = min(until, want.at if obstacle is None else obstacle[0])
        reason = reason or (obstacle and obstacle[1])
    return Wait(until, reason)


def decide_rotation(state: SlotState, me: Replica, now: float, policy: Policy) -> Fetch | Wait:
    """A person asks for a new token: failures and refusals don't hold it back, limits do."""
    call = policy.rotation_call
    limits = [
        by_freeze(state),
        by_forced_interval(call, state, me, policy),
        by_budget(call, state, me, now, policy, for_people=True),
        by_lease(state, me),
        by_landing(call, state, now, policy),
    ]
    standing = [limit for limit in limits if limit is not None and limit[0] > now]
    return Wait(*standing[0]) if standing else Fetch(call, Cause.ROTATION)


def decide_alone(
    held: TokenRecord | None, next_try_at: float, now: float, policy: Policy
) -> Fetch | Wait:
    """The store is away. Classic: mint nothing. Stable: renew a dying token by a normal fetch."""
    if policy.first_call is Call.CLASSIC:
        return Wait(float("inf"))
    needed_at = now if held is None else held.expires_at - lead_of(held, policy) / 2
    at = max(needed_at, next_try_at)
    cause = Cause.MISSING if held is None else Cause.PLANNED
    return Fetch(policy.first_call, cause) if at <= now else Wait(at)


def _fetches_last(want: _Want) -> bool:
    return isinstance(want.action, Fetch)


def _wanted(state: SlotState, now: float, policy: Policy) -> list[_Want]:
    record = state.record
    if record is None:
        fetch = Fetch(policy.first_call, Cause.MISSING)
        return [_Want(state.born_at + policy.reseed_grace_s, fetch)]
    if state.condemned is not None:
        return _wanted_when_condemned(state, record, state.condemned, now, policy)
    live = now < usable_until(state, now, policy)
    doubt = doubt_of(state, now)
    cause = Cause.EXPIRED if now >= record.expires_at else Cause.PLANNED
    wants = [_Want(planned_at(record, policy), Fetch(policy.first_call, cause))]
    if state.failure is not None and policy.first_call is Call.NORMAL:
        # It ends no token, and nothing else tells whether what a person had to mend is mended.
        wants.append(_Want(state.failure.at, Fetch(Call.NORMAL, cause)))
    if doubt is None:
        return wants
    if policy.first_call is not Call.CLASSIC:
        at = doubt.lands_before if live else now
        return [*wants, _Want(at, Fetch(Call.NORMAL, Cause.DOUBT))]
    return [*wants, *_wanted_in_doubt(state, record, doubt, now, policy)]


def _wanted_when_condemned(
    state: SlotState, record: TokenRecord, condemned: Condemned, now: float, policy: Policy
) -> list[_Want]:
    """Classic: mint. Stable: fetch; the same token again: probe; still dead: force.

    A ticket is fetched again, for there is no way to force another. While nothing can be fetched
    on a frozen store, the token itself is asked: evidence may have been wrong.
    """
    if policy.first_call is Call.CLASSIC or record.fetched_at < condemned.at:
        fetch = _Want(now, Fetch(policy.first_call, Cause.REJECTED))
        asks = stands(state.frozen, now) and not condemned.probed and not policy.ticket
        return [_last_word(state, record, condemned, now, policy), fetch] if asks else [fetch]
    again = _Want(
        record.fetched_at + policy.condemned_refetch_s, Fetch(policy.first_call, Cause.REJECTED)
    )
    if policy.ticket:
        return [again]
    if condemned.probed:
        return [_Want(now, Fetch(Call.FORCED, Cause.REJECTED)), again]
    return [_last_word(state, record, condemned, now, policy), again]


def _last_word(
    state: SlotState, record: TokenRecord, condemned: Condemned, now: float, policy: Policy
) -> _Want:
    """Ask a condemned token itself: at once, and again while no answer is of use."""
    probe = probe_of(record, state)
    if probe is None or probe.claimed_at < condemned.at:
        return _Want(now, Ask(record, window_s=0.0))
    return _Want(probe.claimed_at + policy.probe_window_s, Ask(record, policy.probe_window_s))


def _wanted_in_doubt(
    state: SlotState, record: TokenRecord, doubt: Doubt, now: float, policy: Policy
) -> list[_Want]:
    """Classic: probe at once and again; mint when half of what is left has passed, and again.

    From shortly before the early end on, each probe comes before the proof of the last one lapses.
    """
    end = doubted_end(record, doubt, policy)
    proof_s = policy.probe_window_s * 0.8
    probe = probe_of(record, state)
    due = now
    if probe is not None and probe.claimed_at >= doubt.since:
        proven = max(probe.claimed_at + proof_s, end - policy.probe_window_s / 2)
        due = min(probe.claimed_at + policy.doubt_probe_every_s, proven)
    wants = [_Want(due, Ask(record, proof_s))]
    tried = state.failure.at if state.failure is not None else 0.0
    base, apart = doubt.known_at, 0.0
    if tried > base:
        base, apart = tried, policy.doubt_mint_apart_s
    at = base + max((end - base) / 2, apart)
    return [*wants, _Want(at, Fetch(Call.CLASSIC, Cause.DOUBT))]


def _thaws_at(state: SlotState, now: float) -> float:
    """When there is something to look at because a freeze ends by itself."""
    at = ends_at(state.frozen)
    return at if at > now else float("inf")


def _reseed(state: SlotState, me: Replica, now: float, policy: Policy) -> Action | None:
    """The store lost what we hold: probe our token once, then give it back."""
    held = me.held
    if stands(state.frozen, now):
        return None
    if held is not None and lacks_intents(state, held, me.held_intents):
        return Restore(held)
    if held is None or not may_restore(state, held):
        return None
    if now >= held.expires_at - lead_of(held, policy) / 2:
        return None
    probe = probe_of(held, state)
    if probe is None or probe.claimed_at + policy.probe_window_s <= now:
        return Ask(held, policy.probe_window_s)
    match probe.verdict:
        case Verdict.ALIVE:
            return Restore(held)
        case Verdict.DEAD:
            return None
        case _:
            return Wait(probe.claimed_at + policy.probe_window_s, Reason.RESEEDING)
