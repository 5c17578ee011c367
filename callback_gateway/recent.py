"""What happened of late: how many tries a minute each account had, how fast they were answered.

The counts are those of metrics, looked at now and then; nothing is counted twice for a page.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client import Metric

    from callback_gateway.tallies import TimedTallies
    from zhongkong.runtime.clock import Clock

LOOK_EVERY_S: Final = 5.0
WINDOW_S: Final = 60.0

_LOOKS: Final = int(WINDOW_S / LOOK_EVERY_S) + 1


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one kind of answer in the window. Times are upper bounds in seconds; None: over all."""

    count: int
    half_within_s: float | None
    nearly_all_within_s: float | None
    """99 of 100."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """`window_s` is shorter than a minute only while the process is young."""

    window_s: float = 0.0
    a_minute: Mapping[str, float] = field(default_factory=dict)
    speeds: Mapping[str, Speed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    counts: Mapping[str, float]
    buckets: Mapping[str, Mapping[float, float]]
    """By outcome; cumulative, by upper bound."""


class Recent:
    """The looks of the last minute. `run` has to be run by somebody."""

    def __init__(self, callbacks: TimedTallies, clock: Clock) -> None:
        self._callbacks = callbacks
        self._clock = clock
        self._looks: deque[_Look] = deque(maxlen=_LOOKS)

    async def run(self) -> None:
        """Look once in every interval, until cancelled."""
        while True:
            self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Remember the counts of this moment."""
        self._looks.append(self._now())

    def traffic(self) -> Traffic:
        """What happened between the oldest look and now."""
        if not self._looks:
            return Traffic()
        first, last = self._looks[0], self._now()
        window_s = last.at - first.at
        if window_s <= 0:
            return Traffic()
        a_minute = {
            account: (count - first.counts.get(account, 0.0)) * 60.0 / window_s
            for account, count in last.counts.items()
        }
        speeds = {
            outcome: _speed(buckets, first.buckets.get(outcome, {}))
            for outcome, buckets in last.buckets.items()
        }
        moving = {outcome: speed for outcome, speed in speeds.items() if speed.count}
        return Traffic(window_s, a_minute, moving)

    def _now(self) -> _Look:
        counts, buckets = _read(self._callbacks.collect())
        return _Look(self._clock.monotonic(), counts, buckets)


def _read(families: Iterable[Metric]) -> tuple[dict[str, float], dict[str, dict[float, float]]]:
    counts: dict[str, float] = defaultdict(float)
    buckets: dict[str, dict[float, float]] = defaultdict(dict)
    for family in families:
        for sample in family.samples:
            if sample.name.endswith("_total"):
                counts[sample.labels["account"]] += sample.value
            elif sample.name.endswith("_bucket"):
                buckets[sample.labels["outcome"]][float(sample.labels["le"])] = sample.value
    return counts, buckets


def _speed(now: Mapping[float, float], before: Mapping[float, float]) -> Speed:
    since = {bound: count - before.get(bound, 0.0) for bound, count in now.items()}
    count = int(max(since.values(), default=0.0))
    return Speed(count, _within(since, 0.5 * count), _within(since, 0.99 * count))


def _within(cumulative: Mapping[float, float], wanted: float) -> float | None:
    """The smallest bound that so many lie below; None when only infinity is."""
    bound = min((each for each, count in cumulative.items() if count >= wanted), default=None)
    return None if bound == float("inf") else bound
