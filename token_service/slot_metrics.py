"""How every account stands, as gauges made from the rotation's statuses when Prometheus asks.

The first accounts have series of their own, those beyond the limit share the series `other`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from token_service.served import Alarm
from zhongkong.runtime.metrics import OTHER, SERIES_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client import Metric

    from token_service.served import SlotStatus

NO_CODE = "none"
"""The label of a failure that WeChat gave no code for."""


class _Gauge(NamedTuple):
    """One family. `rows` gives, for a slot, labels after account and kind, and the value."""

    name: str
    text: str
    labels: tuple[str, ...]
    rows: Callable[[SlotStatus], Iterable[tuple[tuple[str, ...], float]]]
    merge: Callable[[list[float]], float] = sum


class SlotCollector(Collector):
    """Asks for the statuses at each scrape."""

    def __init__(
        self,
        prefix: str,
        statuses: Callable[[], list[SlotStatus]],
        *,
        series_limit: int = SERIES_LIMIT,
    ) -> None:
        self._prefix = prefix
        self._statuses = statuses
        self._limit = series_limit

    def describe(self) -> list[Metric]:
        """Nothing is known before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Render every family."""
        statuses = self._statuses()
        for gauge in _GAUGES:
            family = GaugeMetricFamily(
                f"{self._prefix}_{gauge.name}",
                gauge.text,
                labels=("account", "kind", *gauge.labels),
            )
            for labels, value in self._rows(gauge, statuses):
                family.add_metric(labels, value)
            yield family
        yield self._accounts_by_alarm(statuses)

    def _rows(
        self, gauge: _Gauge, statuses: list[SlotStatus]
    ) -> Iterator[tuple[tuple[str, ...], float]]:
        rest: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for number, status in enumerate(statuses):
            kind = str(status.slot.kind)
            for labels, value in gauge.rows(status):
                if number < self._limit:
                    yield (status.account, kind, *labels), value
                else:
                    rest[kind, *labels].append(value)
        for labels, values in rest.items():
            yield (OTHER, *labels), gauge.merge(values)

    def _accounts_by_alarm(self, statuses: list[SlotStatus]) -> Metric:
        family = GaugeMetricFamily(
            f"{self._prefix}_alarmed_accounts",
            "Accounts for which this alarm rings.",
            labels=("alarm",),
        )
        for alarm in Alarm:
            family.add_metric((alarm,), sum(alarm in status.alarms for status in statuses))
        return family


def _failure(status: SlotStatus) -> list[tuple[tuple[str, ...], float]]:
    failure = status.failure
    if failure is None:
        return []
    code = NO_CODE if failure.errcode is None else str(failure.errcode)
    return [((failure.kind, code), failure.attempts)]


_GAUGES = (
    _Gauge(
        "token_expires_at_seconds",
        "When the live token ends, Unix time; 0 without one.",
        (),
        lambda status: [((), status.expires_at or 0.0)],
        min,
    ),
    _Gauge(
        "token_remaining_seconds",
        "How long the live token will be handed out; 0 without one.",
        (),
        lambda status: [((), status.expires_in_s)],
        min,
    ),
    _Gauge(
        "token_in_doubt",
        "1 while a mint may have happened whose token the store doesn't hold.",
        (),
        lambda status: [((), status.in_doubt_since is not None)],
    ),
    _Gauge(
        "foreign_refreshes_seen",
        "Tokens that were ended by somebody else's refresh, as counted in the store.",
        (),
        lambda status: [((), status.foreign_refreshes)],
    ),
    _Gauge(
        "failed_attempts",
        "Calls that failed in a row, by kind of failure and WeChat's code.",
        ("failure", "errcode"),
        _failure,
    ),
    _Gauge(
        "refused_addresses",
        "Replicas whose address WeChat refuses for this account.",
        (),
        lambda status: [((), len(status.refusals))],
    ),
    _Gauge(
        "budget_spent_calls",
        "Calls made today (UTC+8).",
        ("call",),
        lambda status: [((str(call),), count) for call, count in status.spent.items()],
        max,
    ),
    _Gauge(
        "budget_limit_calls",
        "Calls allowed a day.",
        ("call",),
        lambda status: [((str(call),), count) for call, count in status.limits.items()],
        min,
    ),
    _Gauge(
        "alarm_ringing",
        "1 while this alarm rings.",
        ("alarm",),
        lambda status: [((alarm,), 1.0) for alarm in status.alarms],
    ),
)
