from __future__ import annotations

from itertools import pairwise

from callback_gateway.delivery.recovery import FIRST_HOLD_S, Recoveries


def test_the_first_delivery_after_a_failure_is_a_recovery() -> None:
    recoveries = Recoveries()
    recoveries.failed("crm")
    assert recoveries.succeeded("crm", 0, now=0.0)
    assert not recoveries.succeeded("crm", 0, now=1.0)


def test_a_target_that_never_failed_does_not_recover() -> None:
    assert not Recoveries().succeeded("crm", 0, now=0.0)


def test_a_retry_that_succeeds_tells_of_failures_before_this_process() -> None:
    recoveries = Recoveries()
    assert recoveries.succeeded("crm", 3, now=0.0)
    assert not recoveries.succeeded("crm", 3, now=1.0)


def test_targets_recover_each_for_itself() -> None:
    recoveries = Recoveries()
    recoveries.failed("crm")
    assert not recoveries.succeeded("audit", 0, now=0.0)
    assert recoveries.succeeded("crm", 0, now=0.0)


def test_one_event_that_always_fails_hastens_itself_less_and_less() -> None:
    recoveries = Recoveries()
    hastened = []
    for second in range(3_600):
        recoveries.failed("crm")
        if recoveries.succeeded("crm", 0, now=float(second)):
            hastened.append(second)
    gaps = [later - earlier for earlier, later in pairwise(hastened)]
    assert hastened[0] == 0
    assert gaps == sorted(gaps)
    assert len(hastened) < 9


def test_a_recovery_inside_the_hold_counts_when_the_hold_is_over() -> None:
    recoveries = Recoveries()
    recoveries.failed("crm")
    assert recoveries.succeeded("crm", 0, now=0.0)
    recoveries.failed("crm")
    assert not recoveries.succeeded("crm", 0, now=1.0)
    assert recoveries.succeeded("crm", 0, now=FIRST_HOLD_S)


def test_a_quiet_time_makes_recoveries_prompt_again() -> None:
    recoveries = Recoveries()
    for now in (0.0, 30.0, 90.0):
        recoveries.failed("crm")
        assert recoveries.succeeded("crm", 0, now=now)
    recoveries.failed("crm")
    assert recoveries.succeeded("crm", 0, now=10_000.0)
    recoveries.failed("crm")
    assert recoveries.succeeded("crm", 0, now=10_000.0 + FIRST_HOLD_S)


def test_targets_that_are_gone_are_forgotten() -> None:
    recoveries = Recoveries()
    recoveries.failed("crm")
    recoveries.keep(frozenset())
    assert not recoveries.succeeded("crm", 0, now=0.0)
