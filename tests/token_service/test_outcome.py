"""How a call without a token ends: who waits how long, what is in doubt, what is refunded."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.token_service.states import CLASSIC, NOW
from token_service.outcome import (
    Denied,
    Minted,
    Outcome,
    Unknown,
    Unsent,
    backoff,
    ending_of,
    outcome_name,
)
from token_service.policy import Replica
from token_service.slot import Abandonment, Call, Failure, FailureKind
from zhongkong.wechat.errors import error_for
from zhongkong.wechat.limits import next_reset

ME = Replica("me", credential="c0ffee00")
TOKEN = "/cgi-bin/token"


def denied(errcode: int, errmsg: str = "no") -> Denied:
    return Denied(error_for(errcode, errmsg, TOKEN, rid="6a-1-2"))


def ended(
    outcome: Unsent | Unknown | Denied,
    call: Call = Call.CLASSIC,
    *,
    attempts_before: int = 0,
    chance: float = 0.5,
) -> Abandonment:
    before = None
    if attempts_before:
        before = Failure(FailureKind.TRANSIENT, NOW - 9, NOW, attempts_before, "it failed")
    return ending_of(outcome, call, before, ME, now=NOW, policy=CLASSIC, chance=chance)


def failure_of(ending: Abandonment) -> Failure:
    assert ending.failure is not None
    return ending.failure


def test_what_never_left_is_refunded_and_tried_again_soon() -> None:
    ending = ended(Unsent("connection refused"))
    assert (ending.sent, ending.unknown) == (False, False)
    failure = failure_of(ending)
    assert (failure.kind, failure.detail) == (FailureKind.TRANSIENT, "connection refused")
    assert failure.retry_at == NOW + 1


@pytest.mark.parametrize(
    ("call", "wait_s"),
    [
        pytest.param(Call.CLASSIC, 11, id="classic: at least 10 s"),
        pytest.param(Call.NORMAL, 1, id="stable: soon, for a fetch resolves it"),
        pytest.param(Call.FORCED, 1, id="forced: soon, by a normal fetch"),
    ],
)
def test_an_unknown_outcome_is_spent_and_in_doubt(call: Call, wait_s: float) -> None:
    ending = ended(Unknown("no answer in time"), call)
    assert (ending.sent, ending.unknown) == (True, True)
    failure = failure_of(ending)
    assert failure.kind is FailureKind.UNKNOWN_OUTCOME
    assert failure.retry_at == NOW + wait_s


def test_a_busy_minute_is_waited_out_and_backed_off_from() -> None:
    failure = failure_of(ended(denied(45011)))
    assert failure.kind is FailureKind.TRANSIENT
    assert NOW + 60 < failure.retry_at <= NOW + 120


def test_a_spent_quota_waits_for_midnight_in_china() -> None:
    failure = failure_of(ended(denied(45009)))
    assert failure.kind is FailureKind.QUOTA
    assert failure.retry_at == next_reset(NOW)


def test_a_spent_quota_of_forced_calls_holds_back_no_normal_call() -> None:
    failure = failure_of(ended(denied(45009), Call.FORCED))
    assert failure.kind is FailureKind.TRANSIENT
    assert failure.retry_at < NOW + 60


@pytest.mark.parametrize("errcode", [40001, 40013, 40125, 40243, 50002, 50004, 50007, 41004])
def test_what_only_a_person_can_mend_is_tried_slowly(errcode: int) -> None:
    ending = ended(denied(errcode))
    failure = failure_of(ending)
    assert (ending.sent, ending.unknown, ending.refusal) == (True, False, None)
    assert (failure.kind, failure.errcode) == (FailureKind.OPERATOR, errcode)
    assert NOW + 600 <= failure.retry_at <= NOW + 660
    assert failure.rid == "6a-1-2"


def test_a_failure_names_the_secret_that_was_used() -> None:
    assert failure_of(ended(denied(40125))).credential == "c0ffee00"


@pytest.mark.parametrize(
    ("errcode", "period_s"),
    [(40164, 60), (89507, 3600), (89506, 86_400), (89501, 600), (89503, 600)],
)
def test_a_refused_address_stands_aside_for_its_period(errcode: int, period_s: float) -> None:
    ending = ended(denied(errcode))
    assert ending.failure is None
    assert ending.refusal is not None
    assert (ending.refusal.replica, ending.refusal.errcode) == ("me", errcode)
    assert ending.refusal.until == NOW + period_s


def test_a_refusal_names_the_address_that_wechat_saw() -> None:
    text = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist"
    ending = ended(denied(40164, text))
    assert ending.refusal is not None
    assert ending.refusal.address == "203.0.113.7"


def test_attempts_are_counted_in_a_row() -> None:
    assert failure_of(ended(Unsent("refused"))).attempts == 1
    assert failure_of(ended(Unsent("refused"), attempts_before=4)).attempts == 5


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_backoff_is_bounded_on_both_sides(attempts: int, chance: float) -> None:
    wait_s = backoff(attempts, CLASSIC, chance)
    assert CLASSIC.backoff_base_s / 5 <= wait_s <= CLASSIC.backoff_cap_s


@given(st.integers(1, 20))
def test_a_backoff_has_full_jitter(attempts: int) -> None:
    """Replicas that failed together don't come back together."""
    ceiling = min(CLASSIC.backoff_cap_s, CLASSIC.backoff_base_s * 2.0**attempts)
    assert backoff(attempts, CLASSIC, 0.0) == CLASSIC.backoff_base_s / 5
    assert backoff(attempts, CLASSIC, 0.5) == ceiling / 2


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Minted("a token", 7200), "ok"),
        (Unsent("refused"), "not_sent"),
        (Unknown("no answer"), "unknown"),
        (denied(40125), "OperatorError"),
        (denied(40164), "AddressRefused"),
        (denied(45009), "QuotaExhausted"),
    ],
)
def test_each_outcome_has_a_name_for_metrics(outcome: Outcome, name: str) -> None:
    assert outcome_name(outcome) == name


def test_no_outcome_shows_its_token() -> None:
    assert "a token" not in repr(Minted("a token", 7200))
