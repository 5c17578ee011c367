"""How many requests each client made, how they ended and how long they took.

Counted in plain integers on the event loop's thread, where a locked counter would cost more than
the rest of the bookkeeping; Prometheus gets them when it asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)
NO_CLIENT = "-"
"""Stands for callers without a known key."""

_SERIES_AT_MOST = 2000
_OTHERS = "(others)"


class Tally:
    """Requests of one client, operation and status."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.seconds = 0.0

    def add(self, took_s: float) -> None:
        """Count one request."""
        self.buckets[bisect_left(BOUNDS_S, took_s)] += 1
        self.seconds += took_s

    @property
    def count(self) -> int:
        return sum(self.buckets)


class _Key(NamedTuple):
    client: str
    operation: str
    status: int


class RequestTallies(Collector):
    """All tallies of a process, and how Prometheus sees them."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._tallies: dict[_Key, Tally] = {}

    def tally(self, client: str, operation: str, status: int) -> Tally:
        """The tally of these labels; to be kept where it is needed often."""
        key = _Key(client, operation, status)
        if key not in self._tallies and len(self._tallies) >= _SERIES_AT_MOST:
            key = _Key(_OTHERS, operation, status)
        return self._tallies.setdefault(key, Tally())

    def collect(self) -> Iterator[Metric]:
        """Render both families: counts by client, durations by operation."""
        counts = CounterMetricFamily(
            f"{self._prefix}_api_requests",
            "Requests to the native API.",
            labels=["client", "operation", "status"],
        )
        durations = HistogramMetricFamily(
            f"{self._prefix}_api_request_duration_seconds",
            "How long requests to the native API took, waits for a refresh included.",
            labels=["operation"],
        )
        for key, tally in self._tallies.items():
            counts.add_metric([key.client, key.operation, str(key.status)], tally.count)
        for operation, (buckets, seconds) in self._by_operation().items():
            durations.add_metric([operation], _cumulative(buckets), seconds)
        yield counts
        yield durations

    def _by_operation(self) -> dict[str, tuple[list[int], float]]:
        found: dict[str, list[Tally]] = defaultdict(list)
        for key, tally in self._tallies.items():
            found[key.operation].append(tally)
        return {
            operation: (
                [sum(column) for column in zip(*(t.buckets for t in tallies), strict=True)],
                sum(tally.seconds for tally in tallies),
            )
            for operation, tallies in found.items()
        }


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    rows: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], buckets, strict=True):
        total += count
        rows.append((bound, total))
    return rows
