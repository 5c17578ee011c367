"""Dashboards ask for what the running services export, and every panel shows something of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from tests.deploy.monitored import ADMIN_KEY, METRICS_KEY, SERVICES, Families, Monitored
from tests.deploy.monitoring_files import DASHBOARDS, MONITORING, amiss, dashboard, panels, promtool

ALL_OF_THEM = [(path, panel) for path in DASHBOARDS for panel in panels(path)]
IDS = [f"{path.stem}: {panel['title']}" for path, panel in ALL_OF_THEM]
CHOSEN = {"$__rate_interval": "5m", "$__range": "1h"}
VARIABLE = re.compile(r"\$\{?(\w+)\}?")
LEGEND = re.compile(r"\{\{(\w+)\}\}")
GROUPED = re.compile(r"by \(([^)]*)\)")
UNITLESS = {"table", "state-timeline", "stat"}
SECONDS = re.compile(r"_seconds|time\(\)")
MONITORED = {"PodMonitor": 3, "PrometheusRule": 3, "ConfigMap": 1}


def expressions(path: Path) -> list[str]:
    return [target["expr"] for panel in panels(path) for target in panel["targets"]]


def chosen(expression: str) -> str:
    """As Grafana sends it with everything chosen."""
    for name, value in CHOSEN.items():
        expression = expression.replace(name, value)
    return VARIABLE.sub(".*", expression)


def test_there_is_one_for_each_service() -> None:
    assert {path.stem for path in DASHBOARDS} == {name.replace("_", "-") for name in SERVICES}
    assert len({dashboard(path)["uid"] for path in DASHBOARDS}) == len(DASHBOARDS)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_imported_anywhere(path: Path) -> None:
    board = dashboard(path)
    assert board["schemaVersion"] >= 39
    assert "id" not in board
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    sources = re.findall(r'"uid": "([^"]*)"', path.read_text("utf-8"))
    assert set(sources) == {"${datasource}", board["uid"]}
    names = {variable["name"] for variable in board["templating"]["list"]}
    used = {name for each in expressions(path) for name in VARIABLE.findall(each)}
    assert used - {"__rate_interval", "__range"} <= names
    assert {"datasource", "namespace", "instance", "account"} <= names


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_two_panels_lie_upon_each_other(path: Path) -> None:
    places = [panel["gridPos"] for panel in dashboard(path)["panels"]]
    for one, other in combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(place["x"] + place["w"] <= 24 for place in places)


@pytest.mark.parametrize(("path", "panel"), ALL_OF_THEM, ids=IDS)
def test_a_panel_says_what_it_shows_and_in_which_unit(path: Path, panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    unit = panel["fieldConfig"]["defaults"].get("unit")
    assert unit or panel["type"] in UNITLESS
    for target in panel["targets"]:
        if "histogram_quantile" in target["expr"]:
            assert unit == "s"
        if "/ sum" in target["expr"]:
            assert unit == "percentunit"


@pytest.mark.parametrize(("path", "panel"), ALL_OF_THEM, ids=IDS)
def test_a_legend_names_only_labels_that_are_left(path: Path, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        grouped = GROUPED.search(target["expr"])
        if grouped is None or target["legendFormat"] == "__auto":
            continue
        left = {label.strip() for label in grouped[1].split(",")}
        assert set(LEGEND.findall(target["legendFormat"])) <= left


@pytest.mark.slow
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_only_for_what_the_running_services_export(
    path: Path, exported: Families
) -> None:
    assert [what for each in expressions(path) for what in amiss(each, exported)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("menu_worker_paussed", "no metric is called menu_worker_paussed"),
        ("callback_gateway_callbacks", "no metric is called callback_gateway_callbacks"),
        ('menu_worker_paused{target="a"}', "menu_worker_paused has no label target"),
        ("sum by (acount) (menu_worker_paused)", "nothing in it has a label acount"),
    ],
)
def test_what_is_not_exported_is_found(expression: str, what: str, exported: Families) -> None:
    [found] = amiss(expression, exported)
    assert found.startswith(what)


@pytest.mark.slow
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_something_of_the_running_services(
    path: Path, exported: Families, tmp_path: Path
) -> None:
    """Two scrapes' worth of what they export, in Prometheus's own engine."""
    looked_at = [
        {
            "expr": f"count({chosen(each)}) > bool 0",
            "eval_time": "10m",
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for each in expressions(path)
    ]
    case = {
        "interval": "1m",
        "input_series": series_of(exported, path.stem),
        "promql_expr_test": looked_at,
    }
    file = tmp_path / "panels_test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}, allow_unicode=True))

    tested = promtool("test", "rules", file)

    assert tested.returncode == 0, tested.stdout + tested.stderr


def series_of(exported: Families, job: str) -> list[dict[str, str]]:
    """As Prometheus has them after some scrapes of one target."""
    target = {"job": job, "namespace": "zhongkong", "instance": "10.0.0.1:9081"}
    up = {"series": series("up", target), "values": "1x20"}
    return [
        up,
        *(
            {"series": series(sample.name, {**sample.labels, **target}), "values": values}
            for family in exported.values()
            for sample in family.samples
            for values in [course(family, sample.value)]
        ),
    ]


def series(name: str, labels: dict[str, str]) -> str:
    quoted = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{quoted}}}"


def course(family: Metric, value: float) -> str:
    """Counts grow, everything else stays."""
    grows = family.type in {"counter", "histogram"}
    return f"{value:.6f}+{1 if grows else 0}x20"


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_the_metrics_key_opens_the_metrics_of_each_service_and_nothing_else(
    services: Monitored, service: str
) -> None:
    assert services.status_of(service, "/metrics", METRICS_KEY) == 200
    assert services.status_of(service, "/v1/status", METRICS_KEY) == 401
    assert services.status_of(service, "/v1/status", ADMIN_KEY) == 200


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What an overlay gets of the Component."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    folder = tmp_path_factory.mktemp("overlay")
    shutil.copytree(MONITORING, folder / "monitoring")
    (folder / "site").mkdir()
    site = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "zhongkong",
        "components": ["../monitoring"],
    }
    (folder / "site" / "kustomization.yaml").write_text(yaml.safe_dump(site))
    words = [kubectl, "kustomize", str(folder / "site")]
    made = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return list(yaml.load_all(made.stdout, yaml.CSafeLoader))


def test_the_component_brings_monitors_rules_and_dashboards(rendered: list[dict[str, Any]]) -> None:
    kinds = [each["kind"] for each in rendered]
    assert {kind: kinds.count(kind) for kind in kinds} == MONITORED
    assert {each["metadata"]["namespace"] for each in rendered} == {"zhongkong"}
    [boards] = [each for each in rendered if each["kind"] == "ConfigMap"]
    assert boards["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert set(boards["data"]) == {path.name for path in DASHBOARDS}
    assert sum(map(len, boards["data"].values())) < 1_000_000


def test_prometheus_scrapes_with_the_key_that_opens_nothing_else(
    rendered: list[dict[str, Any]],
) -> None:
    for monitor in (each for each in rendered if each["kind"] == "PodMonitor"):
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        assert (endpoint["port"], endpoint["path"]) == ("internal", "/metrics")
        assert endpoint["authorization"]["credentials"]["name"] == "zhongkong-metrics"
        name = monitor["metadata"]["name"]
        assert monitor["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": name}
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
