"""How the calls through the proxy ended, by client, account, class of path and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from token_service.request_metrics import BOUNDS_S, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

NOBODY = "-"
"""Stands for a client or an account that isn't known."""

_SERIES_AT_MOST = 2000
_OTHERS = "(others)"


_LABELS: Final = ("client", "account", "path_class", "outcome")


class ProxyTallies(Collector):
    """Plain integers of the loop's thread; Prometheus gets them when it asks."""

    def __init__(
        self,
        prefix: str,
        *,
        moves: Callable[[], Mapping[str, int]],
        connections: Callable[[], Mapping[str, int]],
    ) -> None:
        """`moves`: changes of WeChat's host by reason; `connections`: to WeChat, by state."""
        self._prefix = prefix
        self._moves = moves
        self._connections = connections
        self._counts: dict[tuple[str, str, str, str], int] = {}
        self._times: dict[str, Tally] = {}

    def add(self, client: str, account: str, path_class: str, outcome: str, took_s: float) -> None:
        """Count one call."""
        key = (client, account, path_class, outcome)
        count = self._counts.get(key, 0)
        if not count and len(self._counts) >= _SERIES_AT_MOST:
            key = (_OTHERS, _OTHERS, path_class, outcome)
            count = self._counts.get(key, 0)
        self._counts[key] = count + 1
        tally = self._times.get(path_class)
        if tally is None:
            tally = self._times[path_class] = Tally()
        tally.add(took_s)

    def count(self, **labels: str) -> int:
        """How many calls have these labels."""
        return sum(
            count
            for key, count in self._counts.items()
            if labels.items() <= dict(zip(_LABELS, key, strict=True)).items()
        )

    def collect(self) -> Iterator[Metric]:
        """Render all families."""
        counts = CounterMetricFamily(
            f"{self._prefix}_proxied_calls",
            "Calls through the proxy to WeChat's API, and to the endpoints made for SDKs.",
            labels=_LABELS,
        )
        for key, count in self._counts.items():
            counts.add_metric(key, count)
        yield counts
        times = HistogramMetricFamily(
            f"{self._prefix}_proxied_call_duration_seconds",
            "How long those calls took, both bodies included.",
            labels=["path_class"],
        )
        for path_class, tally in self._times.items():
            times.add_metric([path_class], _cumulative(tally.buckets), tally.seconds)
        yield times
        moves = CounterMetricFamily(
            f"{self._prefix}_upstream_host_changes",
            "How often calls moved to another of WeChat's hosts, by reason.",
            labels=["reason"],
        )
        for reason, count in self._moves().items():
            moves.add_metric([reason], count)
        yield moves
        connections = GaugeMetricFamily(
            f"{self._prefix}_proxy_connections", "Connections to WeChat.", labels=["state"]
        )
        for state, count in self._connections().items():
            connections.add_metric([state], count)
        yield connections


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    rows: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], buckets, strict=True):
        total += count
        rows.append((bound, total))
    return rows
