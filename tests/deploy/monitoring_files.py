"""What stands in deploy/monitoring, and what its expressions ask Prometheus for.

PromQL is only taken apart as far as the tests need it; whether it is PromQL is promtool's to say.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.monitored import Families
from tests.fixtures.tools import require_tool

ROOT: Final = Path(__file__).resolve().parents[2]
MONITORING: Final = ROOT / "deploy" / "monitoring"
ALERTS: Final = MONITORING / "alerts.yaml"
ALERT_TESTS: Final = (MONITORING / "alerts_test.yaml", MONITORING / "alerts_day_test.yaml")
DASHBOARDS: Final = sorted((MONITORING / "dashboards").glob("*.json"))

FROM_PROMETHEUS: Final = {"up": {"job"}, "ALERTS": {"alertname", "alertstate", "severity"}}
"""Metrics that Prometheus makes itself, with labels of their own."""
TARGET_LABELS: Final = {"job", "instance", "namespace", "pod"}
"""What Prometheus adds to every series."""

_METRIC: Final = r"(?:token_service|callback_gateway|menu_worker|process)_\w+|up\b|ALERTS\b"
_SELECTOR: Final = re.compile(rf"(?<![\w$])({_METRIC})(?:\{{([^}}]*)\}})?")
_MATCHER: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPING: Final = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_SUFFIXES: Final = ("_total", "_bucket", "_count", "_sum", "")

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric as an expression asks for it."""

    metric: str
    labels: frozenset[str]


def selectors(expression: str) -> list[Selector]:
    """Every metric in it, with the labels that are asked for."""
    return [
        Selector(metric, frozenset(_MATCHER.findall(matchers)))
        for metric, matchers in _SELECTOR.findall(expression)
    ]


def grouping_labels(expression: str) -> set[str]:
    """The labels that it groups or joins by."""
    lists = _GROUPING.findall(expression)
    return {label.strip() for each in lists for label in each.split(",") if label.strip()}


def amiss(expression: str, exported: Families) -> list[str]:
    """What the expression asks for that no service exports."""
    found = []
    known: set[str] = set(TARGET_LABELS)
    for each in selectors(expression):
        labels = labels_of(each.metric, exported)
        if labels is None:
            found.append(f"no metric is called {each.metric}")
            continue
        known |= labels
        found += [
            f"{each.metric} has no label {label}"
            for label in sorted(each.labels - labels - TARGET_LABELS)
        ]
    unknown = sorted(grouping_labels(expression) - known)
    return found + [f"nothing in it has a label {label}: {expression}" for label in unknown]


def labels_of(metric: str, exported: Families) -> set[str] | None:
    """The labels of its series; None when there is no such metric."""
    if metric in FROM_PROMETHEUS:
        return FROM_PROMETHEUS[metric] | {"service"} if metric == "ALERTS" else {"job"}
    for suffix in _SUFFIXES:
        family = exported.get(metric.removesuffix(suffix)) if metric.endswith(suffix) else None
        if family is not None and metric in names_of(family.name, family.type):
            return {label for sample in family.samples for label in sample.labels}
    return None


def names_of(family: str, type_: str) -> set[str]:
    """The names of a family's series."""
    if type_ == "counter":
        return {f"{family}_total"}
    if type_ == "histogram":
        return {f"{family}_bucket", f"{family}_count", f"{family}_sum"}
    return {family}


@cache
def rules() -> list[Rule]:
    """The alerts."""
    return [rule for group in documents(ALERTS)[0]["groups"] for rule in group["rules"]]


@cache
def documents(path: Path) -> list[Any]:
    """What stands in a file of YAML. It is shared by all who ask."""
    return list(yaml.load_all(path.read_text("utf-8"), yaml.CSafeLoader))


@cache
def dashboard(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def panels(path: Path) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard that show something."""
    yield from (panel for panel in dashboard(path)["panels"] if panel["type"] != "row")


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = require_tool("promtool")
    return subprocess.run(
        [program, *map(str, words)],
        cwd=MONITORING,
        env={**os.environ, "GOGC": "400"},  # it runs for seconds: memory is cheaper than time
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
