"""What an operator sees of a slot, and what rings."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tests.token_service.states import (
    CLASSIC,
    ME,
    NOW,
    a_record,
    a_state,
    an_intent,
    dying,
    failed,
    spent,
)
from token_service.alarms import alarms_of, describe, no_live_token
from token_service.life import planned_at
from token_service.obstacles import Reason
from token_service.plan import AccountPlan
from token_service.policy import Limits
from token_service.rotation import Wait
from token_service.served import Alarm, Served, SlotStatus
from token_service.slot import (
    Budget,
    FailureKind,
    ForeignRefreshes,
    IntentOutcome,
    Kind,
    Mode,
    Refusal,
    Slot,
    SlotState,
)

SLOT = Slot("wx0123456789abcdef", Kind.ACCESS_TOKEN, Mode.CLASSIC)
PLAN = AccountPlan("shop", SLOT, CLASSIC, lambda: "the secret of the shop")
BOTH = frozenset({"me", "other"})


def rings(state: SlotState, replicas: frozenset[str] = BOTH) -> set[Alarm]:
    return alarms_of(state, ME, replicas, NOW, CLASSIC)


def refused(*names: str, left_s: float = 60.0) -> SlotState:
    refusals = tuple(Refusal(name, 40164, NOW - 1, NOW + left_s, "192.0.2.1") for name in names)
    return replace(a_state(a_record()), refusals=refusals)


def seen(state: SlotState | None, *, reachable: bool = True, live: bool = True) -> SlotStatus:
    record = state.record if state else None
    served = None
    if record is not None and live:
        served = Served(SLOT, record.value, record.version, record.issued_at, record.expires_at)
    return describe(
        PLAN,
        state,
        ME,
        served=served,
        waiting=Wait(NOW + 60, Reason.BACKOFF),
        failure=None,
        replicas=BOTH,
        store_reachable=reachable,
        now=NOW,
    )


def test_a_sound_slot_is_quiet() -> None:
    assert rings(a_state(a_record())) == set()


@pytest.mark.parametrize(("left_s", "late"), [(120, False), (110, True), (-10, True)])
def test_a_refresh_is_late_when_half_its_lead_has_passed(left_s: float, late: bool) -> None:
    assert (Alarm.REFRESH_LATE in rings(a_state(dying(left_s)))) is late


def test_a_doubt_rings() -> None:
    state = a_state(a_record(), an_intent(3, IntentOutcome.UNKNOWN))
    assert rings(state) == {Alarm.IN_DOUBT}


@pytest.mark.parametrize(
    ("kind", "rung"),
    [(FailureKind.OPERATOR, True), (FailureKind.TRANSIENT, False), (FailureKind.QUOTA, False)],
)
def test_what_only_a_person_can_mend_rings(kind: FailureKind, rung: bool) -> None:
    assert (Alarm.OPERATOR_ERROR in rings(failed(a_state(a_record()), kind))) is rung


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param((), set(), id="nobody was refused"),
        pytest.param(("me",), {Alarm.ADDRESS_REFUSED}, id="one of two"),
        pytest.param(("gone",), set(), id="one that lives no more"),
        pytest.param(("me", "other"), {Alarm.ADDRESS_REFUSED, Alarm.PARKED}, id="all"),
    ],
)
def test_an_account_is_parked_only_when_every_live_replica_was_refused(
    names: tuple[str, ...], expected: set[Alarm]
) -> None:
    assert rings(refused(*names)) == expected


def test_a_refusal_whose_time_is_over_is_silent() -> None:
    assert rings(refused("me", "other", left_s=-1)) == set()


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (1583, set()),
        (1584, {Alarm.BUDGET_LOW}),
        (1979, {Alarm.BUDGET_LOW}),
        (1980, {Alarm.BUDGET_SPENT}),
    ],
)
def test_a_budget_rings_when_nearly_spent_and_when_spent(calls: int, expected: set[Alarm]) -> None:
    state = replace(a_state(a_record()), budget=spent(classic=calls))
    assert rings(state) == expected


def test_a_budget_of_nothing_is_not_spent() -> None:
    """Every forced refresh may be kept for people."""
    policy = replace(CLASSIC, limits=Limits(forced=3, forced_reserve=3))
    assert alarms_of(a_state(a_record()), ME, BOTH, NOW, policy) == set()


@pytest.mark.parametrize(("ago_s", "rung"), [(1, True), (3599, True), (3601, False)])
def test_a_foreign_refresh_rings_for_an_hour(ago_s: float, rung: bool) -> None:
    state = replace(a_state(a_record()), foreign=ForeignRefreshes(1, NOW - ago_s))
    assert (Alarm.FOREIGN_REFRESH in rings(state)) is rung


def test_a_status_tells_all_about_a_living_token() -> None:
    record = dying(500)
    status = seen(replace(a_state(record), budget=spent(classic=7)))
    assert (status.account, status.live, status.expires_in_s) == ("shop", True, 500)
    assert (status.version, status.expires_at) == (record.version, record.expires_at)
    assert status.next_refresh_at == planned_at(record, CLASSIC)
    assert (status.last_cause, status.last_call) == ("token_near_expiry", "classic")
    assert (status.spent, status.limits) == ({"classic": 7}, {"classic": 2000})
    assert status.waiting_for == Reason.BACKOFF
    assert status.alarms == ()


def test_a_status_tells_cause_and_remedy_of_a_failure() -> None:
    status = seen(failed(a_state(a_record()), FailureKind.OPERATOR))
    assert status.failure is not None
    assert status.failure.detail == "it failed"
    assert Alarm.OPERATOR_ERROR in status.alarms


def test_a_status_without_a_token_rings() -> None:
    assert Alarm.NO_LIVE_TOKEN in seen(a_state(a_record()), live=False).alarms


def test_a_status_before_the_first_reading_is_possible() -> None:
    status = seen(None, reachable=False)
    assert (status.live, status.version, status.spent) == (False, None, {})
    assert set(status.alarms) == {Alarm.NO_LIVE_TOKEN, Alarm.STORE_AWAY}


def test_a_status_shows_no_token_and_no_secret() -> None:
    shown = str(asdict(seen(a_state(a_record()))))
    assert "a token" not in shown
    assert "the secret" not in shown


def test_a_reader_without_a_token_hears_the_cause_and_when_to_come_back() -> None:
    state = failed(a_state(), FailureKind.OPERATOR, wait_s=600)
    problem = no_live_token(state, Wait(NOW + 599, Reason.OPERATOR), None, NOW)
    assert "it failed" in problem.detail
    assert problem.retry_after_s == 599
    assert problem.failure == state.failure


@pytest.mark.parametrize(
    ("waiting", "words", "retry_after_s"),
    [
        (None, "being fetched", 1.0),
        (Wait(NOW + 30, Reason.BUDGET_SPENT), "budget_spent", 30.0),
        (Wait(NOW + 90_000, Reason.QUOTA), "quota", 3600.0),
    ],
)
def test_without_a_failure_the_reader_hears_what_is_waited_for(
    waiting: Wait | None, words: str, retry_after_s: float
) -> None:
    problem = no_live_token(replace(a_state(), budget=Budget()), waiting, None, NOW)
    assert words in problem.detail
    assert problem.retry_after_s == retry_after_s
