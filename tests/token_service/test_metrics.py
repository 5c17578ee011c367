from __future__ import annotations

from token_service.metrics import ServiceMetrics
from token_service.observer import Observer
from token_service.served import Alarm, RejectionOutcome
from token_service.slot import Call, Verdict
from token_service.waiting import WaitingRoom


def test_what_the_rotation_tells_is_counted() -> None:
    metrics = ServiceMetrics()
    observer: Observer = metrics
    observer.call_finished("shop", Call.FORCED, "ok", 0.2)
    observer.probe_finished("shop", Verdict.DEAD)
    observer.rejection_answered("shop", RejectionOutcome.REPLACED)
    observer.commit_refused("shop")
    observer.alarm_changed("shop", Alarm.IN_DOUBT, rings=True)
    observer.alarm_changed("shop", Alarm.IN_DOUBT, rings=False)
    observer.store_reachable(reachable=False)
    observer.turn_crashed("shop", ValueError("x"))

    lines = metrics.render().decode().splitlines()
    for line in (
        'token_service_upstream_calls_total{account="shop",call="forced",outcome="ok"} 1.0',
        'token_service_upstream_call_duration_seconds_count{call="forced"} 1.0',
        'token_service_probes_total{account="shop",verdict="dead"} 1.0',
        'token_service_rejections_total{account="shop",outcome="replaced"} 1.0',
        'token_service_refused_commits_total{account="shop"} 1.0',
        'token_service_alarms_raised_total{account="shop",alarm="token_in_doubt"} 1.0',
        "token_service_store_reachable 0.0",
        "token_service_crashed_turns_total 1.0",
    ):
        assert line in lines, line


def test_requests_are_shown_by_client_and_their_times_by_operation() -> None:
    metrics = ServiceMetrics()
    metrics.tallies.tally("orders", "get_token", 200).add(0.0002)
    metrics.tallies.tally("-", "get_token", 401).add(3.0)

    lines = metrics.render().decode().splitlines()
    name = "token_service_api_request"
    for line in (
        f'{name}s_total{{client="orders",operation="get_token",status="200"}} 1.0',
        f'{name}s_total{{client="-",operation="get_token",status="401"}} 1.0',
        f'{name}_duration_seconds_bucket{{le="0.00025",operation="get_token"}} 1.0',
        f'{name}_duration_seconds_bucket{{le="5",operation="get_token"}} 2.0',
        f'{name}_duration_seconds_count{{operation="get_token"}} 2.0',
    ):
        assert line in lines, line


def test_the_number_of_request_series_is_bounded() -> None:
    tallies = ServiceMetrics().tallies
    for number in range(5000):
        tallies.tally(f"client-{number}", "get_token", 200).add(0.001)

    (counts, _) = tallies.collect()
    assert len(counts.samples) <= 2001
    assert sum(sample.value for sample in counts.samples) == 5000


def test_waiting_requests_are_shown_beside_their_limit() -> None:
    metrics = ServiceMetrics()
    metrics.show(list, WaitingRoom(7))

    lines = metrics.render().decode().splitlines()
    assert "token_service_waiting_requests 0.0" in lines
    assert "token_service_waiting_requests_limit 7.0" in lines
