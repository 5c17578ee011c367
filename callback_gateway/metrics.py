"""The process's metrics: what the observers are told, and how full the inbox is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from callback_gateway.tallies import Counts, TimedTallies
from zhongkong.runtime.metrics import OTHER, SERIES_LIMIT, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

    from callback_gateway.depth_watch import DepthWatch
    from zhongkong.runtime.clock import Clock

PREFIX: Final = "callback_gateway"


class GatewayMetrics:
    """An observer of intake, delivery and store."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._metrics = Metrics(PREFIX)
        self.callbacks = self._timed(
            "callbacks",
            "Tries of WeChat by how they were answered.",
            ("account", "outcome"),
            duration="callback_answer_duration_seconds",
            duration_text="From the first byte of a try to its answer.",
            by="outcome",
        )
        self.forged_callbacks = self._counts(
            "forged_callbacks", "Requests that were refused.", ("account", "reason")
        )
        self.repeated = self._counts(
            "repeated_callbacks",
            "Tries of events that had come before: retry all of them, join those that waited for "
            "an attempt under way, duplicate those that were answered from the store.",
            ("account", "as"),
        )
        self.old_credentials = self._counts(
            "old_credential_uses",
            "Callbacks that came with the previous token or AES key.",
            ("account", "what"),
        )
        self.old_credential_used_at: dict[tuple[str, str], float] = {}
        self.clock_skew_s: dict[str, float] = {}
        self.attempts = self._timed(
            "delivery_attempts",
            "Attempts at deliveries by outcome.",
            ("target", "outcome"),
            duration="delivery_attempt_duration_seconds",
            duration_text="How long attempts at deliveries took.",
            by="target",
        )
        self.dead_letters = self._counts(
            "dead_letters_made", "Deliveries that became dead letters.", ("target", "reason")
        )
        metrics = self._metrics
        self._away = metrics.gauge("store_away", "1 while the store can't be reached.")
        self._broken = metrics.gauge(
            "durability_broken", "1 while the store can't keep what `durability` promises."
        )
        self._spooled = metrics.counter("spooled", "Callbacks that went to the local spool.")
        self._drained = metrics.counter("drained", "Callbacks that went from the spool on.")
        self._lost = metrics.counter("lost", "Deliveries that the store is known to have lost.")
        self._losses = metrics.counter("losses", "How often the store was found to have lost some.")
        metrics.registry.register(_Moments(self))
        self.store_is_away = False
        self.promise_is_broken = False

    def show(self, watch: DepthWatch) -> None:
        """Show what the watch sees at each scrape from now on. To be called once."""
        self._metrics.registry.register(_DepthCollector(watch))

    def render(self) -> bytes:
        """Everything in Prometheus's text format."""
        return self._metrics.render()

    # -- IntakeObserver --------------------------------------------------------------------------

    def answered(self, account: str, outcome: str, took_s: float) -> None:
        self.callbacks.add(account, outcome, took_s)

    def forged(self, account: str, reason: str) -> None:
        self.forged_callbacks.add(account, reason)

    def retried(self, account: str) -> None:
        self.repeated.add(account, "retry")

    def joined(self, account: str) -> None:
        self.repeated.add(account, "join")

    def duplicate(self, account: str) -> None:
        self.repeated.add(account, "duplicate")

    def old_key_used(self, account: str, what: Literal["token", "aes_key"]) -> None:
        self.old_credentials.add(account, what)
        self.old_credential_used_at[account, what] = self._clock.now()

    def clock_skew(self, account: str, seconds: float) -> None:
        self.clock_skew_s[account] = seconds

    # -- DeliveryObserver ------------------------------------------------------------------------

    def attempted(self, target: str, outcome: str, took_s: float) -> None:
        self.attempts.add(target, outcome, took_s)

    def dead(self, target: str, reason: str) -> None:
        self.dead_letters.add(target, reason)

    # -- StoreObserver ---------------------------------------------------------------------------

    def store_away(self, away: bool) -> None:  # noqa: FBT001 - a state, told as it is
        self.store_is_away = away
        self._away.set(away)

    def spooled(self, count: int) -> None:
        self._spooled.inc(count)

    def drained(self, count: int) -> None:
        self._drained.inc(count)

    def lost(self, count: int) -> None:
        self._lost.inc(count)
        self._losses.inc()

    def promise_broken(self, broken: bool) -> None:  # noqa: FBT001 - a state, told as it is
        self.promise_is_broken = broken
        self._broken.set(broken)

    # -- making ----------------------------------------------------------------------------------

    def _counts(self, name: str, text: str, labels: tuple[str, str]) -> Counts:
        counts = Counts(f"{PREFIX}_{name}", text, labels)
        self._metrics.registry.register(counts)
        return counts

    def _timed(
        self,
        name: str,
        text: str,
        labels: tuple[str, str],
        *,
        duration: str,
        duration_text: str,
        by: str,
    ) -> TimedTallies:
        tallies = TimedTallies(
            f"{PREFIX}_{name}",
            text,
            labels,
            duration=f"{PREFIX}_{duration}",
            duration_text=duration_text,
            by=by,
        )
        self._metrics.registry.register(tallies)
        return tallies


class _Moments(Collector):
    """What was seen last, by account."""

    def __init__(self, metrics: GatewayMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        used = GaugeMetricFamily(
            f"{PREFIX}_old_credential_last_used_timestamp_seconds",
            "When a callback last came with the previous token or AES key.",
            labels=["account", "what"],
        )
        for (account, what), at in list(self._metrics.old_credential_used_at.items())[
            :SERIES_LIMIT
        ]:
            used.add_metric([account, what], at)
        yield used
        skew = GaugeMetricFamily(
            f"{PREFIX}_clock_skew_seconds",
            "The sender's clock less ours in the last callback that was not fresh.",
            labels=["account"],
        )
        for account, seconds in list(self._metrics.clock_skew_s.items())[:SERIES_LIMIT]:
            skew.add_metric([account], seconds)
        yield skew


class _DepthCollector(Collector):
    """How full the inbox was a moment ago; nothing while that isn't known."""

    def __init__(self, watch: DepthWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        if self._watch.spooled is not None:
            yield GaugeMetricFamily(
                f"{PREFIX}_spool_events",
                "Callbacks that wait in the local spool.",
                value=self._watch.spooled,
            )
        depth = self._watch.depth
        if depth is None:
            return
        yield GaugeMetricFamily(
            f"{PREFIX}_inbox_events", "Undelivered events and dead letters.", value=depth.events
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_inbox_events_limit", "How many there may be.", value=depth.limit
        )
        by_target: tuple[tuple[str, str, Mapping[str, float]], ...] = (
            ("deliveries_waiting", "Deliveries due now or later.", depth.waiting),
            ("deliveries_leased", "Deliveries under way.", depth.leased),
            ("dead_letters", "Dead letters that are kept.", depth.dead),
            ("oldest_due_seconds", "How long the longest due delivery is due.", depth.oldest_due_s),
        )
        for name, text, values in by_target:
            family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=["target"])
            shown = list(values.items())
            for target, value in shown[:SERIES_LIMIT]:
                family.add_metric([target], value)
            if rest := [value for _, value in shown[SERIES_LIMIT:]]:
                total = max(rest) if name == "oldest_due_seconds" else sum(rest)
                family.add_metric([OTHER], total)
            yield family
