"""What stands against a call that is due: leases, refusals, failures, limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.token_service.states import (
    CLASSIC,
    ME,
    NOW,
    STABLE,
    a_record,
    a_state,
    an_intent,
    condemned,
    dying,
    failed,
    spent,
)
from token_service.obstacles import Reason, held_back, spent_today
from token_service.policy import Limits
from token_service.slot import Call, FailureKind, Fence, Lease, Refusal, SlotState
from zhongkong.wechat.limits import next_reset

DUE = a_state(dying(100))
TRANSIENT, UNKNOWN = FailureKind.TRANSIENT, FailureKind.UNKNOWN_OUTCOME
OPERATOR, QUOTA = FailureKind.OPERATOR, FailureKind.QUOTA


def leased(holder: str, left_s: float) -> SlotState:
    return replace(DUE, lease=Lease(holder, Fence("life", 9), NOW + left_s))


def test_nothing_stands_against_a_fetch_that_is_due() -> None:
    assert held_back(Call.CLASSIC, DUE, ME, NOW, CLASSIC) is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(leased("other", 9), (NOW + 9, Reason.LEASE_HELD), id="another's lease"),
        pytest.param(leased("other", -1), None, id="another's lapsed lease"),
        pytest.param(leased("me", 9), None, id="my own lease"),
    ],
)
def test_a_lease_holds_others_back(state: SlotState, expected: tuple[float, Reason] | None) -> None:
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == expected


@pytest.mark.parametrize(
    ("replica", "expected"),
    [
        pytest.param("me", (NOW + 60, Reason.ADDRESS_REFUSED), id="mine"),
        pytest.param("other", None, id="another's"),
    ],
)
def test_a_refusal_holds_back_the_replica_that_it_is_about(
    replica: str, expected: tuple[float, Reason] | None
) -> None:
    state = replace(DUE, refusals=(Refusal(replica, 40164, NOW - 1, NOW + 60),))
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == expected


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (TRANSIENT, Reason.BACKOFF),
        (UNKNOWN, Reason.BACKOFF),
        (OPERATOR, Reason.OPERATOR),
        (QUOTA, Reason.QUOTA),
    ],
)
def test_a_failure_holds_back_until_its_time(kind: FailureKind, reason: Reason) -> None:
    state = failed(DUE, kind)
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == (NOW + 19, reason)
    assert held_back(Call.CLASSIC, failed(DUE, kind, ago_s=21), ME, NOW, CLASSIC) is None


def test_another_secret_is_tried_at_once() -> None:
    state = failed(DUE, OPERATOR, credential="before")
    assert held_back(Call.CLASSIC, state, replace(ME, credential="now"), NOW, CLASSIC) is None


def test_a_secret_that_was_refused_here_is_not_tried_again_at_once() -> None:
    """Two replicas with different wrong secrets don't spur each other on."""
    me = replace(ME, credential="mine", credential_refused_until=NOW + 300)
    state = failed(DUE, OPERATOR, credential="another's")
    assert held_back(Call.CLASSIC, state, me, NOW, CLASSIC) == (NOW + 300, Reason.OPERATOR)


@pytest.mark.parametrize(("kind", "held"), [(TRANSIENT, False), (QUOTA, True), (OPERATOR, True)])
def test_a_death_after_the_failure_is_a_reason_to_try_again_unless_it_is_hopeless(
    kind: FailureKind, held: bool
) -> None:
    state = condemned(failed(DUE, kind, ago_s=5), ago_s=1)
    assert (held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) is not None) is held


@pytest.mark.parametrize(
    ("left_s", "wait_s"),
    [
        pytest.param(200, 50, id="a quarter of what is left"),
        pytest.param(20, 10, id="but 10 s at least"),
        pytest.param(7000, 60, id="and never longer than the backoff"),
    ],
)
def test_no_backoff_sleeps_over_the_end_of_a_life(left_s: float, wait_s: float) -> None:
    state = failed(a_state(dying(left_s)), ago_s=0, wait_s=60)
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == (NOW + wait_s, Reason.BACKOFF)


def test_what_wechat_asked_to_wait_is_waited_out() -> None:
    state = failed(a_state(dying(40)), ago_s=0, wait_s=60)
    assert state.failure is not None
    state = replace(state, failure=replace(state.failure, errcode=45011))
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == (NOW + 60, Reason.BACKOFF)


@pytest.mark.parametrize("where", ["store", "replica"])
def test_forced_calls_are_30_s_apart(where: str) -> None:
    budget = replace(spent(), last_forced_at=NOW - 10)
    state = replace(DUE, budget=budget) if where == "store" else DUE
    me = replace(ME, spent=budget) if where == "replica" else ME
    assert held_back(Call.FORCED, state, me, NOW, STABLE) == (NOW + 20, Reason.FORCED_TOO_SOON)
    assert held_back(Call.NORMAL, state, me, NOW, STABLE) is None


def test_the_higher_of_both_counts_counts() -> None:
    state = replace(DUE, budget=spent(classic=5))
    assert spent_today(state, replace(ME, spent=spent(classic=7)), Call.CLASSIC, NOW) == 7
    assert spent_today(state, replace(ME, spent=spent(classic=3)), Call.CLASSIC, NOW) == 5


def test_yesterdays_calls_don_t_count() -> None:
    state = replace(DUE, budget=replace(spent(classic=1999), day="2000-01-01"))
    assert spent_today(state, ME, Call.CLASSIC, NOW) == 0


@pytest.mark.parametrize(
    ("call", "most"), [(Call.CLASSIC, 2000 - 20), (Call.FORCED, 20 - 3), (Call.NORMAL, 500_000)]
)
def test_a_spent_budget_stops_calls_until_midnight_in_china(call: Call, most: int) -> None:
    state = replace(DUE, budget=spent(**{call.value: most}))
    expected = (next_reset(NOW), Reason.BUDGET_SPENT)
    assert held_back(call, state, ME, NOW, STABLE) == expected
    state = replace(DUE, budget=spent(**{call.value: most - 1}))
    assert held_back(call, state, ME, NOW, STABLE) is None


def test_a_reserve_is_left_to_people() -> None:
    limits = Limits(forced=20, forced_reserve=3)
    assert limits.of(Call.FORCED) == 17
    assert limits.of(Call.FORCED, for_people=True) == 20


def test_no_mint_begins_while_another_may_land_and_a_live_token_is_left() -> None:
    state = a_state(dying(100), an_intent(5))
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == (NOW + 10, Reason.CALL_MAY_LAND)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(a_state(None, an_intent(5)), id="there is none"),
        pytest.param(a_state(dying(-1), an_intent(5)), id="it ended"),
        pytest.param(condemned(a_state(a_record(), an_intent(5))), id="it is dead"),
    ],
)
def test_without_a_live_token_a_mint_waits_for_nobody(state: SlotState) -> None:
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) is None


def test_in_stable_mode_an_open_call_holds_nobody_up() -> None:
    state = a_state(dying(100), an_intent(5, call=Call.FORCED))
    assert held_back(Call.NORMAL, state, ME, NOW, STABLE) is None


def test_of_several_obstacles_the_last_to_fall_is_told() -> None:
    state = failed(leased("other", 9), wait_s=6)
    assert held_back(Call.CLASSIC, state, ME, NOW, CLASSIC) == (NOW + 9, Reason.LEASE_HELD)
