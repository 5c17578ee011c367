"""The process's metrics, read from the accounts' states at each scrape.

Up to a limit each account has series of its own; of the rest there is one, `other`: the sum of
counts and of alarms, and the worst of what is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from menu_worker.drift import Source
from menu_worker.result_words import KINDS, STEP_NAMES
from zhongkong.runtime.metrics import OTHER, SERIES_LIMIT, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client import Metric

    from menu_worker.account_state import AccountState
    from menu_worker.worker import Worker

    Number = float | None
    Reading = Callable[[AccountState], Number]

PREFIX: Final = "menu_worker"

_ALARMS: Final[tuple[tuple[str, str, Reading], ...]] = (
    (
        "contested",
        "1 while somebody keeps changing the menu back.",
        lambda state: float(state.contested),
    ),
    (
        "standing_down",
        "1 while another worker took a different menu up later.",
        lambda state: float(state.is_standing_down),
    ),
    (
        "paused",
        "1 while a person has paused the account.",
        lambda s: float(s.paused_by is not None),
    ),
    (
        "switched_off",
        "1 while the menu is switched off in WeChat's console.",
        lambda state: float(state.is_open is False),
    ),
    (
        "desired_invalid",
        "1 while the account's desired file can't be used or is gone.",
        lambda state: float(state.trouble is not None),
    ),
)
_READINGS: Final[tuple[tuple[str, str, Reading], ...]] = (
    (
        "in_sync",
        "1 when the live menu was the desired one at the last reading.",
        lambda state: None if state.in_sync is None else float(state.in_sync),
    ),
    (
        "last_apply_timestamp_seconds",
        "When this process last wrote the menu.",
        lambda state: state.applied_at,
    ),
    (
        "last_verified_timestamp_seconds",
        "When the desired menu was last found to be live.",
        lambda state: state.verified_at,
    ),
)


class WorkerMetrics:
    """Renders what the worker's accounts are like."""

    def __init__(self, worker: Worker) -> None:
        self._metrics = Metrics(PREFIX)
        self._metrics.registry.register(_Accounts(worker))

    def render(self) -> bytes:
        """Everything in Prometheus's text format."""
        return self._metrics.render()


class _Accounts(Collector):
    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        states = self._worker.states
        yield from self._files()
        yield GaugeMetricFamily(f"{PREFIX}_accounts", "Accounts known.", value=len(states))
        for name, text, read in _ALARMS:
            yield _gauge(name, text, states, read, sum)
        for name, text, read in _READINGS:
            yield _gauge(name, text, states, read, min)
        yield _labelled(
            GaugeMetricFamily(
                f"{PREFIX}_drift",
                "1 while somebody else's menu is live, by where it comes from.",
                labels=["account", "source"],
            ),
            states,
            lambda state: {source.value: float(state.drift is source) for source in Source},
            sum,
        )
        yield _labelled(
            GaugeMetricFamily(
                f"{PREFIX}_quota_left",
                "Calls left today (UTC+8) of what the worker may use, by path.",
                labels=["account", "path"],
            ),
            states,
            lambda state: state.quota_left,
            min,
        )
        yield from _counters(states)

    def _files(self) -> Iterator[Metric]:
        menus = self._worker.menus
        if menus is None:
            return
        yield GaugeMetricFamily(
            f"{PREFIX}_desired_files_invalid", "Files that can't be used.", value=len(menus.refused)
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_desired_patterns_unmatched",
            "Patterns of `menus` that match no file.",
            value=len(menus.unmatched),
        )


def _counters(states: list[AccountState]) -> Iterator[Metric]:
    yield _labelled(
        CounterMetricFamily(
            f"{PREFIX}_passes", "Passes by how they ended.", labels=["account", "result"]
        ),
        states,
        lambda state: {kind: state.passes[kind] for kind in KINDS.values() if state.passes[kind]},
        sum,
    )
    yield _labelled(
        CounterMetricFamily(
            f"{PREFIX}_steps", "Planned writes of verified applies.", labels=["account", "step"]
        ),
        states,
        lambda state: {step: state.steps[step] for step in STEP_NAMES if state.steps[step]},
        sum,
    )
    yield _labelled(
        CounterMetricFamily(
            f"{PREFIX}_corrections",
            "Menus of somebody else that were replaced, by where they came from.",
            labels=["account", "source"],
        ),
        states,
        lambda state: {source.value: state.corrections[source] for source in state.corrections},
        sum,
    )


def _gauge(
    name: str,
    text: str,
    states: list[AccountState],
    read: Reading,
    merge: Callable[[Iterable[float]], float],
) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=["account"])
    for account, group in _grouped(states):
        found = [value for value in map(read, group) if value is not None]
        if found:
            family.add_metric([account], merge(found))
    return family


def _labelled(
    family: GaugeMetricFamily | CounterMetricFamily,
    states: list[AccountState],
    read: Callable[[AccountState], Mapping[str, float]],
    merge: Callable[[Iterable[float]], float],
) -> Metric:
    """`read` gives values by a second label, which must have few values."""
    for account, group in _grouped(states):
        found: dict[str, list[float]] = {}
        for state in group:
            for label, value in read(state).items():
                found.setdefault(label, []).append(value)
        for label, values in found.items():
            family.add_metric([account, label], merge(values))
    return family


def _grouped(states: list[AccountState]) -> Iterator[tuple[str, list[AccountState]]]:
    for state in states[:SERIES_LIMIT]:
        yield state.account, [state]
    if len(states) > SERIES_LIMIT:
        yield OTHER, states[SERIES_LIMIT:]
