"""The alerts of deploy/monitoring: promtool takes them, and each rings when it must."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from scripts.prometheus_rule import objects_of
from tests.deploy.monitored import Families
from tests.deploy.monitoring_files import (
    ALERT_TESTS,
    ALERTS,
    MONITORING,
    amiss,
    documents,
    promtool,
    rules,
    selectors,
)
from tests.docs.blocks import Block, blocks
from token_service.served import Alarm

RULES = rules()
NAMES = [rule["alert"] for rule in RULES]
SEVERITIES = {"page", "ticket", "info"}
JOBS = {"token-service", "callback-gateway", "menu-worker"}
NAMED = re.compile(r'ALERTS\{alertname="(\w+)"')
LABEL = re.compile(r'(\w+)="')
USED = re.compile(r"\$labels\.(\w+)")
README = MONITORING / "README.md"
ASKED_OTHERWISE = {
    Alarm.IN_DOUBT: "token_service_token_in_doubt",
    Alarm.OPERATOR_ERROR: "token_service_failed_attempts",
    Alarm.STORE_AWAY: "token_service_store_reachable",
}
"""Alarms that have a metric of their own, which says more."""


CASES: list[dict[str, Any]] = [
    case for path in ALERT_TESTS for each in documents(path) for case in each["tests"]
]


@cache
def looks(name: str) -> list[dict[str, Any]]:
    """Every look at this alert, in all cases."""
    return [
        look
        for case in CASES
        for look in case["promql_expr_test" if "promql_expr_test" in case else "alert_rule_test"]
        if NAMED.findall(look.get("expr", "")) == [name]
    ]


def block_of(info: str) -> Block:
    [found] = [block for block in blocks(README) if block.info == info]
    return found


def test_promtool_takes_the_rules() -> None:
    checked = promtool("check", "rules", ALERTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize("path", ALERT_TESTS, ids=lambda path: path.name)
def test_the_alerts_ring_when_they_must_and_not_else(path: Path) -> None:
    tested = promtool("test", "rules", path)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_is_seen_ringing_and_seen_quiet(name: str) -> None:
    assert any(look.get("exp_samples") for look in looks(name))
    assert any(not look.get("exp_samples") for look in looks(name))


def test_no_two_alerts_have_one_name() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_where_all_is_well_stands_every_metric_that_an_alert_asks_for() -> None:
    [well] = [case for case in CASES if case["name"] == "nothing rings while all is well"]
    there = {each["series"].partition("{")[0] for each in well["input_series"]}
    asked = {each.metric for rule in RULES for each in selectors(rule["expr"])}
    assert asked <= there


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_each_alert_says_how_urgent_it_is_and_whom_it_is_about(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["labels"]["service"] in JOBS
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert rule["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_each_alert_names_only_labels_that_it_has(rule: dict[str, Any]) -> None:
    used = set(USED.findall(" ".join(rule["annotations"].values())))
    rung = [sample for look in looks(rule["alert"]) for sample in look.get("exp_samples") or []]
    assert all(used <= set(LABEL.findall(sample["labels"])) for sample in rung)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_how_long_an_alert_waits_has_its_reason(rule: dict[str, Any]) -> None:
    text = ALERTS.read_text("utf-8").partition(f"- alert: {rule['alert']}\n")[2]
    text = text.partition("- alert: ")[0]
    assert "for" not in rule or re.search(r"^ +for: \w+ # .+", text, re.MULTILINE)


def test_the_operators_object_has_the_same_alerts() -> None:
    path = MONITORING / "prometheus-rule.yaml"
    assert path.read_text("utf-8") == objects_of(ALERTS.read_text("utf-8"))
    groups = [group for each in documents(path) for group in (each or {})["spec"]["groups"]]
    [written] = documents(ALERTS)
    assert groups == written["groups"]


def test_every_alarm_of_the_token_service_rings_an_alert() -> None:
    asked = " ".join(rule["expr"] for rule in RULES)
    silent = {
        alarm for alarm in Alarm if ASKED_OTHERWISE.get(alarm, f'alarm="{alarm}"') not in asked
    }
    assert silent == set()


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_asks_only_for_what_the_running_services_export(
    rule: dict[str, Any], exported: Families
) -> None:
    assert selectors(rule["expr"])
    assert amiss(rule["expr"], exported) == []


def test_the_runbooks_can_be_given_an_address_of_ones_own(tmp_path: Path) -> None:
    folder = copytree(MONITORING, tmp_path / "monitoring")

    subprocess.run(["/bin/sh", "-eu", "-c", block_of("sh").text], cwd=folder, check=True)

    for file in ("alerts.yaml", "prometheus-rule.yaml"):
        urls = re.findall(r"runbook_url: (\S+)", (folder / file).read_text("utf-8"))
        assert len(urls) == len(RULES)
        assert all(url.startswith("https://git.example.com/") for url in urls)
    assert sorted(folder.glob("*.bak")) == []


def test_prometheus_takes_the_configuration_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(block_of("yaml").text)
    (tmp_path / "alerts.yaml").write_bytes(ALERTS.read_bytes())
    (tmp_path / "metrics.key").write_text("a key")

    checked = promtool("check", "config", tmp_path / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr
    document = yaml.safe_load(block_of("yaml").text)
    assert {job["job_name"] for job in document["scrape_configs"]} == JOBS


def test_the_number_of_alerts_is_told_as_it_is() -> None:
    assert f"{len(RULES)} alerts" in README.read_text("utf-8")
