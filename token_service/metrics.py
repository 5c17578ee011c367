"""The process's metrics: its registry, and the counters that the rotation's events move.

Requests are counted in `request_metrics`, accounts are shown by `slot_metrics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service.request_metrics import RequestTallies
from token_service.slot_metrics import SlotCollector
from zhongkong.runtime.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.registry import Collector

    from token_service.served import Alarm, RejectionOutcome, SlotStatus
    from token_service.slot import Call, Verdict
    from token_service.waiting import WaitingRoom

PREFIX: Final = "token_service"


class ServiceMetrics:
    """An `Observer` of the rotation. `show` adds what is read at each scrape."""

    def __init__(self) -> None:
        self._metrics = Metrics(PREFIX)
        self.tallies = RequestTallies(PREFIX)
        self._metrics.registry.register(self.tallies)
        by_account = self._metrics.account_counter
        self._calls = by_account(
            "upstream_calls", "Token calls to WeChat by kind and outcome.", ("call", "outcome")
        )
        self._call_times = self._metrics.histogram(
            "upstream_call_duration_seconds", "How long token calls to WeChat took.", ("call",)
        )
        self._probes = by_account("probes", "Probes of tokens by verdict.", ("verdict",))
        self._rejections = by_account(
            "rejections", "Reports of dead tokens by what came of them.", ("outcome",)
        )
        self._refused_commits = by_account(
            "refused_commits", "Tokens that came after a newer one and were dropped."
        )
        self._alarms = by_account("alarms_raised", "How often an alarm began.", ("alarm",))
        self._crashes = self._metrics.counter("crashed_turns", "Defects of ours, one at a time.")
        self._store = self._metrics.gauge("store_reachable", "1 while the store answers.")
        self._store.set(1)

    def show(self, statuses: Callable[[], list[SlotStatus]], room: WaitingRoom) -> None:
        """Read these at each scrape from now on. To be called once."""
        self._metrics.registry.register(SlotCollector(PREFIX, statuses))
        waiting = self._metrics.gauge("waiting_requests", "Requests that wait now.")
        waiting.set_function(lambda: room.taken)
        self._metrics.gauge("waiting_requests_limit", "How many may wait.").set(room.seats)

    def register(self, collector: Collector) -> None:
        """Read this one too at each scrape."""
        self._metrics.registry.register(collector)

    def render(self) -> bytes:
        """Everything in Prometheus's text format."""
        return self._metrics.render()

    def call_finished(self, account: str, call: Call, outcome: str, took_s: float) -> None:
        self._calls.of(account, call, outcome).inc()
        self._call_times.labels(call).observe(took_s)

    def probe_finished(self, account: str, verdict: Verdict) -> None:
        self._probes.of(account, verdict).inc()

    def rejection_answered(self, account: str, outcome: RejectionOutcome) -> None:
        self._rejections.of(account, outcome).inc()

    def commit_refused(self, account: str) -> None:
        self._refused_commits.of(account).inc()

    def alarm_changed(self, account: str, alarm: Alarm, *, rings: bool) -> None:
        if rings:
            self._alarms.of(account, alarm).inc()

    def store_reachable(self, *, reachable: bool) -> None:
        self._store.set(reachable)

    def turn_crashed(self, slot: str, error: Exception) -> None:  # noqa: ARG002 - the log has both
        self._crashes.inc()
