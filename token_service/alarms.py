"""PURE: one slot as an operator sees it, and what he has to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.freeze import Way, stands
from token_service.life import doubt_of, lead_of, planned_at
from token_service.obstacles import spent_today
from token_service.served import Alarm, NoLiveToken, Served, SlotStatus
from token_service.slot import Call, FailureKind, SlotState

if TYPE_CHECKING:
    from token_service.plan import AccountPlan
    from token_service.policy import Policy, Replica
    from token_service.rotation import Wait
    from token_service.slot import Failure, Refusal

_FOREIGN_RINGS_S = 3600.0
_LONGEST_RETRY_S = 3600.0
_FROZEN_RETRY_S = 5.0


def describe(  # noqa: PLR0913 - a status is made of all this
    plan: AccountPlan,
    state: SlotState | None,
    me: Replica,
    *,
    served: Served | None,
    waiting: Wait | None,
    failure: Failure | None,
    replicas: frozenset[str],
    store_reachable: bool,
    now: float,
) -> SlotStatus:
    """Put a slot's state into words and numbers; no token and no secret among them."""
    record = state.record if state else None
    if state is not None and state.failure is not None:
        failure = state.failure
    alarms = _local_alarms(served, store_reachable=store_reachable)
    if state is not None:
        alarms |= alarms_of(state, me, replicas, now, plan.policy)
    doubt = doubt_of(state, now) if state else None
    calls = dict.fromkeys((plan.policy.first_call, plan.policy.rotation_call))
    return SlotStatus(
        account=plan.name,
        slot=plan.slot,
        live=served is not None,
        version=served.version if served else None,
        issued_at=served.issued_at if served else None,
        expires_at=served.expires_at if served else None,
        expires_in_s=served.lifetime(now) if served else 0,
        next_refresh_at=planned_at(record, plan.policy) if record else None,
        last_cause=record.cause if record else None,
        last_call=record.call if record else None,
        in_doubt_since=doubt.since if doubt else None,
        waiting_for=waiting.reason if waiting else None,
        failure=failure,
        refusals=_standing(state, replicas, now) if state else (),
        spent={c: spent_today(state, me, c, now) for c in calls} if state else {},
        limits={c: plan.policy.limits.of(c, for_people=True) for c in calls},
        foreign_refreshes=state.foreign.count if state else 0,
        last_foreign_refresh_at=state.foreign.last_at if state else None,
        alarms=tuple(sorted(alarms)),
    )


def no_live_token(
    state: SlotState | None, waiting: Wait | None, failure: Failure | None, now: float
) -> NoLiveToken:
    """Why there is no live token, for a reader who can't wait any longer."""
    if state is not None and stands(state.frozen, now):
        return frozen("There is no live token, and none is fetched", state)
    if state is not None and state.failure is not None:
        failure = state.failure
    if failure is not None:
        detail = f"There is no live token, and the last try failed: {failure.detail}"
    elif waiting is not None and waiting.reason is not None:
        detail = f"There is no live token now: {waiting.reason}."
    else:
        detail = "There is no live token yet; the first one is being fetched."
    until = waiting.until if waiting is not None else now
    retry_after_s = min(max(until - now, 1.0), _LONGEST_RETRY_S)
    return NoLiveToken(detail, retry_after_s=retry_after_s, failure=failure)


def frozen(what: str, state: SlotState) -> NoLiveToken:
    """Why nothing is minted on a frozen store, for a reader: no address is named."""
    freeze = state.frozen
    if freeze is not None and freeze.way is Way.IN:
        why = "this service's store is filled from another one, and is not whole yet."
    elif freeze is not None and freeze.sealed:
        why = "this service's store was copied to another one. Ask the service that runs there."
    else:
        why = "this service's store is being copied to another one. Ask again in a moment."
    return NoLiveToken(f"{what}: {why}", retry_after_s=_FROZEN_RETRY_S)


def alarms_of(
    state: SlotState, me: Replica, replicas: frozenset[str], now: float, policy: Policy
) -> set[Alarm]:
    """What rings, judged from the store's state."""
    refused = {refusal.replica for refusal in _standing(state, replicas, now)}
    rings = {
        Alarm.REFRESH_LATE: _is_late(state, now, policy),
        Alarm.IN_DOUBT: doubt_of(state, now) is not None,
        Alarm.OPERATOR_ERROR: state.failure is not None
        and state.failure.kind is FailureKind.OPERATOR,
        Alarm.BUDGET_SPENT: state.failure is not None and state.failure.kind is FailureKind.QUOTA,
        Alarm.ADDRESS_REFUSED: bool(refused),
        Alarm.PARKED: bool(replicas) and replicas <= refused,
        Alarm.STORE_FROZEN: stands(state.frozen, now),
        Alarm.FOREIGN_REFRESH: state.foreign.last_at is not None
        and now - state.foreign.last_at < _FOREIGN_RINGS_S,
    }
    return {alarm for alarm, rung in rings.items() if rung} | _budget_alarms(state, me, now, policy)


def _local_alarms(served: Served | None, *, store_reachable: bool) -> set[Alarm]:
    alarms = set() if served is not None else {Alarm.NO_LIVE_TOKEN}
    return alarms if store_reachable else alarms | {Alarm.STORE_AWAY}


def _is_late(state: SlotState, now: float, policy: Policy) -> bool:
    """Half the lead has passed without a successor."""
    record = state.record
    return record is not None and now > record.expires_at - lead_of(record, policy) / 2


def _budget_alarms(state: SlotState, me: Replica, now: float, policy: Policy) -> set[Alarm]:
    alarms = set()
    for call in Call:
        spent = spent_today(state, me, call, now)
        if spent and spent >= policy.limits.of(call):
            alarms.add(Alarm.BUDGET_SPENT)
        elif spent and spent >= policy.limits.of(call) * policy.budget_low_share:
            alarms.add(Alarm.BUDGET_LOW)
    return alarms


def _standing(state: SlotState, replicas: frozenset[str], now: float) -> tuple[Refusal, ...]:
    """Refusals that still hold, of replicas that still live."""
    return tuple(
        refusal for refusal in state.refusals if refusal.until > now and refusal.replica in replicas
    )
