"""The metrics of one service: its own registry, its prefix, and a bound on per-account series.

Which metrics there are belongs to the services. Names carry base units (`_seconds`, `_bytes`,
`_total`); prometheus_client adds `_total` to counters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
OTHER = "other"
SERIES_LIMIT = 200
LATENCY_BUCKETS_S = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Makes metrics named `<prefix>_<name>` and renders them."""

    def __init__(self, prefix: str, *, series_limit: int = SERIES_LIMIT) -> None:
        """`series_limit`: how many accounts get series of their own; the rest are `other`."""
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=True)
        self._prefix = prefix
        self._series_limit = series_limit
        ProcessCollector(registry=self.registry)

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, text, labels, namespace=self._prefix, registry=self.registry)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, text, labels, namespace=self._prefix, registry=self.registry)

    def histogram(
        self,
        name: str,
        text: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = LATENCY_BUCKETS_S,
    ) -> Histogram:
        return Histogram(
            name, text, labels, namespace=self._prefix, registry=self.registry, buckets=buckets
        )

    def account_counter(self, name: str, text: str, labels: Sequence[str] = ()) -> AccountCounter:
        """Make a counter by account and `labels`, which must have few values."""
        return AccountCounter(self.counter(name, text, ("account", *labels)), self._series_limit)

    def render(self) -> bytes:
        """Return everything in the text format; its media type is CONTENT_TYPE."""
        return prometheus_client.generate_latest(self.registry)


class AccountCounter:
    """A counter whose number of series stays bounded however many accounts there are."""

    def __init__(self, counter: Counter, limit: int) -> None:
        self._counter = counter
        self._limit = limit
        self._accounts: set[str] = set()
        self._children: dict[tuple[str, ...], Counter] = {}

    def of(self, account: str, *labels: str) -> Counter:
        """Return the series to `inc()`; the same every time, so a hot path may keep it."""
        key = (account, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._counter.labels(self._name(account), *labels)
        return child

    def _name(self, account: str) -> str:
        if account not in self._accounts and len(self._accounts) < self._limit:
            self._accounts.add(account)
        return account if account in self._accounts else OTHER
