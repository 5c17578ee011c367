"""PURE: what stands against a call that is due: lease, refusal, failure, limit, an open call."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from token_service.freeze import ends_at
from token_service.life import usable_until
from token_service.slot import Call, Failure, FailureKind, SlotState
from zhongkong.wechat.limits import day_of, next_reset

if TYPE_CHECKING:
    from token_service.policy import Policy, Replica


class Reason(StrEnum):
    """Why something that is due isn't done now."""

    LEASE_HELD = "another_replica_refreshes"
    ADDRESS_REFUSED = "address_refused"
    BACKOFF = "backing_off"
    QUOTA = "quota_spent_at_wechat"
    OPERATOR = "operator_must_act"
    BUDGET_SPENT = "budget_spent"
    FORCED_TOO_SOON = "forced_too_soon"
    CALL_MAY_LAND = "earlier_call_may_still_land"
    RESEEDING = "store_is_being_reseeded"
    STORE_AWAY = "store_away"
    STORE_FROZEN = "store_frozen"


def spent_today(state: SlotState, me: Replica, call: Call, now: float) -> int:
    """Calls made today: the store's count or this replica's, whichever is higher."""
    today = day_of(now)
    return max((b.spent(call) for b in (state.budget, me.spent) if b.day == today), default=0)


def held_back(
    call: Call, state: SlotState, me: Replica, now: float, policy: Policy
) -> tuple[float, Reason] | None:
    """The latest moment until which something stands against a due fetch."""
    obstacles = [
        by_freeze(state),
        by_lease(state, me),
        _by_refusal(state, me),
        _by_failure(state, me, policy),
        by_forced_interval(call, state, me, policy),
        by_budget(call, state, me, now, policy, for_people=False),
        by_landing(call, state, now, policy),
    ]
    standing = [obstacle for obstacle in obstacles if obstacle is not None and obstacle[0] > now]
    return max(standing, key=lambda obstacle: obstacle[0], default=None)


def by_freeze(state: SlotState) -> tuple[float, Reason] | None:
    return None if state.frozen is None else (ends_at(state.frozen), Reason.STORE_FROZEN)


def by_lease(state: SlotState, me: Replica) -> tuple[float, Reason] | None:
    lease = state.lease
    if lease is None or lease.holder == me.name:
        return None
    return lease.expires_at, Reason.LEASE_HELD


def _by_refusal(state: SlotState, me: Replica) -> tuple[float, Reason] | None:
    mine = [refusal.until for refusal in state.refusals if refusal.replica == me.name]
    return (max(mine), Reason.ADDRESS_REFUSED) if mine else None


def _by_failure(state: SlotState, me: Replica, policy: Policy) -> tuple[float, Reason] | None:
    """A failure holds back until its time; another secret, or a later death, is tried at once."""
    failure = state.failure
    if failure is None:
        return None
    if failure.kind is FailureKind.OPERATOR and failure.credential != me.credential:
        return me.credential_refused_until, Reason.OPERATOR
    if failure.kind is FailureKind.OPERATOR:
        return failure.retry_at, Reason.OPERATOR
    if failure.kind is FailureKind.QUOTA:
        return failure.retry_at, Reason.QUOTA
    if state.condemned is not None and state.condemned.at > failure.at:
        return None
    return min(failure.retry_at, _sooner_when_dying(state, failure, policy)), Reason.BACKOFF


def _sooner_when_dying(state: SlotState, failure: Failure, policy: Policy) -> float:
    """No wait takes more than a quarter of what is left, so that a blip's end isn't slept over."""
    left_s = state.record.expires_at - failure.at if state.record is not None else 0.0
    if left_s <= 0 or failure.errcode is not None:
        return float("inf")
    return failure.at + max(left_s / 4, policy.doubt_mint_apart_s)


def by_forced_interval(
    call: Call, state: SlotState, me: Replica, policy: Policy
) -> tuple[float, Reason] | None:
    if call is not Call.FORCED:
        return None
    last = max(state.budget.last_forced_at or 0.0, me.spent.last_forced_at or 0.0)
    return last + policy.forced_apart_s, Reason.FORCED_TOO_SOON


def by_budget(
    call: Call, state: SlotState, me: Replica, now: float, policy: Policy, *, for_people: bool
) -> tuple[float, Reason] | None:
    if spent_today(state, me, call, now) < policy.limits.of(call, for_people=for_people):
        return None
    return next_reset(now), Reason.BUDGET_SPENT


def by_landing(
    call: Call, state: SlotState, now: float, policy: Policy
) -> tuple[float, Reason] | None:
    """While a live token is left to wait with, no mint begins that an open call could overtake."""
    if call is not Call.CLASSIC or now >= usable_until(state, now, policy):
        return None
    landings = [intent.lands_before for intent in state.intents if intent.call.kills_predecessor]
    return (max(landings), Reason.CALL_MAY_LAND) if landings else None
