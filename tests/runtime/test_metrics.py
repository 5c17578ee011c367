from __future__ import annotations

import pytest

from zhongkong.runtime.metrics import CONTENT_TYPE, Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("token_service", series_limit=2)


def lines(metrics: Metrics, name: str) -> list[str]:
    text = metrics.render().decode()
    return [line for line in text.splitlines() if line.startswith(f"token_service_{name}")]


def test_every_metric_carries_the_services_prefix(metrics: Metrics) -> None:
    metrics.counter("requests", "Requests.", ("code",)).labels("200").inc()
    metrics.gauge("ready", "Ready.").set(1)
    metrics.histogram("latency_seconds", "Latency.", buckets=(0.1, 1.0)).observe(0.5)
    assert lines(metrics, "requests") == ['token_service_requests_total{code="200"} 1.0']
    assert lines(metrics, "ready") == ["token_service_ready 1.0"]
    assert 'token_service_latency_seconds_bucket{le="1.0"} 1.0' in lines(metrics, "latency")


def test_two_services_in_one_process_share_nothing(metrics: Metrics) -> None:
    other = Metrics("token_service")
    metrics.counter("requests", "Requests.").inc()
    other.counter("requests", "Requests.")
    assert lines(other, "requests") == ["token_service_requests_total 0.0"]


def test_the_process_itself_is_measured(metrics: Metrics) -> None:
    assert b"process_resident_memory_bytes" in metrics.render()
    assert CONTENT_TYPE.startswith("text/plain")


def test_accounts_beyond_the_limit_are_counted_together(metrics: Metrics) -> None:
    calls = metrics.account_counter("calls", "Calls.", ("outcome",))
    for account in ("a", "b", "c", "d", "a"):
        calls.of(account, "done").inc()
    assert lines(metrics, "calls") == [
        'token_service_calls_total{account="a",outcome="done"} 2.0',
        'token_service_calls_total{account="b",outcome="done"} 1.0',
        'token_service_calls_total{account="other",outcome="done"} 2.0',
    ]


def test_a_hot_path_may_keep_the_series_it_counts_in(metrics: Metrics) -> None:
    calls = metrics.account_counter("calls", "Calls.")
    assert calls.of("a") is calls.of("a")
