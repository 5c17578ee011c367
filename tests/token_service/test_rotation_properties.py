"""What no state whatever may lead the decision to do."""

from __future__ import annotations

from hypothesis import given

from tests.token_service.states import CLASSIC, NOW, STABLE, policies, replicas, states
from token_service.life import doubt_of, usable_until
from token_service.obstacles import spent_today
from token_service.policy import Policy, Replica
from token_service.rotation import (
    Ask,
    Fetch,
    Restore,
    Wait,
    decide,
    decide_rotation,
)
from token_service.slot import Call, FailureKind, SlotState


def fetched(state: SlotState, me: Replica, policy: Policy) -> list[Fetch]:
    """What is fetched in this state, by itself or on a person's word."""
    actions = (decide(state, me, NOW, policy), decide_rotation(state, me, NOW, policy))
    return [action for action in actions if isinstance(action, Fetch)]


@given(states, replicas, policies)
def test_nothing_is_fetched_while_anothers_lease_stands(
    state: SlotState, me: Replica, policy: Policy
) -> None:
    lease = state.lease
    if lease is not None and lease.holder != me.name and lease.expires_at > NOW:
        assert fetched(state, me, policy) == []


@given(states, replicas)
def test_nothing_is_minted_while_a_live_token_is_left_and_a_call_may_land(
    state: SlotState, me: Replica
) -> None:
    open_calls = [i for i in state.intents if i.call.kills_predecessor and i.lands_before > NOW]
    if open_calls and usable_until(state, NOW, CLASSIC) > NOW:
        assert fetched(state, me, CLASSIC) == []


@given(states, replicas, policies)
def test_no_budget_is_exceeded(state: SlotState, me: Replica, policy: Policy) -> None:
    by_itself = decide(state, me, NOW, policy)
    if isinstance(by_itself, Fetch):
        spent = spent_today(state, me, by_itself.call, NOW)
        assert spent < policy.limits.of(by_itself.call)
    for fetch in fetched(state, me, policy):
        most = policy.limits.of(fetch.call, for_people=True)
        assert spent_today(state, me, fetch.call, NOW) < most


@given(states, replicas)
def test_nothing_is_forced_within_30_s_of_the_last(state: SlotState, me: Replica) -> None:
    last = max(state.budget.last_forced_at or 0.0, me.spent.last_forced_at or 0.0)
    if last > NOW - 30:
        assert all(fetch.call is not Call.FORCED for fetch in fetched(state, me, STABLE))


@given(states, replicas, policies)
def test_no_wait_ends_in_the_past(state: SlotState, me: Replica, policy: Policy) -> None:
    for action in (decide(state, me, NOW, policy), decide_rotation(state, me, NOW, policy)):
        if isinstance(action, Wait):
            assert action.until > NOW


@given(states, replicas, policies)
def test_a_sound_token_is_left_alone_until_its_last_minutes(
    state: SlotState, me: Replica, policy: Policy
) -> None:
    record = state.record
    if record is None or state.condemned is not None or doubt_of(state, NOW) is not None:
        return
    if record.expires_at - NOW > policy.overlap_s:
        assert not isinstance(decide(state, me, NOW, policy), Fetch)


@given(states, replicas)
def test_only_a_condemned_stable_token_is_forced_without_a_person(
    state: SlotState, me: Replica
) -> None:
    action = decide(state, me, NOW, STABLE)
    if isinstance(action, Fetch) and action.call is Call.FORCED:
        assert state.condemned is not None
        assert state.condemned.probed
        assert state.record is not None
        assert state.record.fetched_at >= state.condemned.at


@given(states, replicas, policies)
def test_a_spent_quota_and_a_refused_address_are_waited_out(
    state: SlotState, me: Replica, policy: Policy
) -> None:
    failure = state.failure
    quota = failure is not None and failure.kind is FailureKind.QUOTA and failure.retry_at > NOW
    refused = any(r.replica == me.name and r.until > NOW for r in state.refusals)
    if quota or refused:
        assert not isinstance(decide(state, me, NOW, policy), Fetch)


@given(states, replicas, policies)
def test_a_person_s_rotation_waits_for_no_failure(
    state: SlotState, me: Replica, policy: Policy
) -> None:
    action = decide_rotation(state, me, NOW, policy)
    limits = {"forced_too_soon", "budget_spent", "another_replica_refreshes"}
    if isinstance(action, Wait):
        assert action.reason in {*limits, "earlier_call_may_still_land"}


@given(states, replicas, policies)
def test_only_a_token_of_its_own_or_one_the_store_holds_is_probed_or_restored(
    state: SlotState, me: Replica, policy: Policy
) -> None:
    action = decide(state, me, NOW, policy)
    if isinstance(action, Ask):
        assert action.record in {state.record, me.held}
        assert action.window_s <= policy.probe_window_s
    if isinstance(action, Restore):
        assert action.record == me.held
