"""Counts and times in plain integers, which Prometheus gets when it asks.

They are counted on the event loop's thread for every callback and every delivery, where a locked
counter would cost more than the rest of the bookkeeping. What is counted stands in metrics.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from zhongkong.runtime.metrics import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 4.5, 5, 15, 30, 60)
SERIES_AT_MOST: Final = 2000

Key = tuple[str, str]


class Counts(Collector):
    """A counter by two labels. Beyond so many series the first label is `other`."""

    def __init__(self, name: str, text: str, labels: Key) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._counts: dict[Key, int] = {}

    def add(self, first: str, second: str, count: int = 1) -> None:
        """Count."""
        key = (first, second)
        known = self._counts.get(key)
        if known is None:
            key = _bounded(key, len(self._counts))
            known = self._counts.get(key, 0)
        self._counts[key] = known + count

    def by(self, first: str) -> dict[str, int]:
        """The counts of one first label, by the second."""
        return {key[1]: count for key, count in self._counts.items() if key[0] == first}

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for key, count in self._counts.items():
            family.add_metric(key, count)
        yield family


class Tally:
    """Things that took time: how many, and how long."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.seconds = 0.0

    def add(self, took_s: float) -> None:
        """Count one."""
        self.buckets[bisect_left(BOUNDS_S, took_s)] += 1
        self.seconds += took_s

    @property
    def count(self) -> int:
        return sum(self.buckets)


class TimedTallies(Collector):
    """A counter by two labels, and a histogram of the times by one of them."""

    def __init__(
        self, name: str, text: str, labels: Key, *, duration: str, duration_text: str, by: str
    ) -> None:
        """`name` of the counter, `duration` of the histogram, whose label is `by`."""
        self._name = name
        self._text = text
        self._labels = labels
        self._duration = duration
        self._duration_text = duration_text
        self._by = by
        self._tallies: dict[Key, Tally] = {}

    def add(self, first: str, second: str, took_s: float) -> None:
        """Count one."""
        tally = self._tallies.get((first, second))
        if tally is None:
            key = _bounded((first, second), len(self._tallies))
            tally = self._tallies.setdefault(key, Tally())
        tally.add(took_s)

    def by(self, first: str) -> dict[str, int]:
        """The counts of one first label, by the second."""
        return {key[1]: tally.count for key, tally in self._tallies.items() if key[0] == first}

    def collect(self) -> Iterator[Metric]:
        counts = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for key, tally in self._tallies.items():
            counts.add_metric(key, tally.count)
        yield counts
        times = HistogramMetricFamily(self._duration, self._duration_text, labels=[self._by])
        for label, tallies in self._grouped().items():
            columns = zip(*(tally.buckets for tally in tallies), strict=True)
            buckets = _cumulative([sum(column) for column in columns])
            times.add_metric([label], buckets, sum(tally.seconds for tally in tallies))
        yield times

    def _grouped(self) -> dict[str, list[Tally]]:
        place = self._labels.index(self._by)
        found: dict[str, list[Tally]] = defaultdict(list)
        for key, tally in self._tallies.items():
            found[key[place]].append(tally)
        return found


def _bounded(key: Key, series: int) -> Key:
    return key if series < SERIES_AT_MOST else (OTHER, key[1])


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    rows: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], buckets, strict=True):
        total += count
        rows.append((bound, total))
    return rows
