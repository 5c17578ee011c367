"""What docs/menu-worker.md and the READMEs say of the menu worker is what the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from menu_worker import internal
from menu_worker.cli import app
from menu_worker.desired import LoadedMenus
from menu_worker.drift import Source
from menu_worker.guards import Guard
from menu_worker.menu import CONSOLE_TYPES, FIELDS, RULE_FIELDS
from menu_worker.metrics import WorkerMetrics
from menu_worker.result_log import _EVENTS
from menu_worker.result_words import KINDS, worst
from menu_worker.settings import MenuWorkerSettings
from menu_worker.worker import Worker
from tests.docs.blocks import READMES, ROOT, rows
from tests.docs.log_events import logged_by
from tests.docs.pages import (
    QUOTED,
    cells,
    commands_of,
    commands_told,
    keys_of,
    log_lines_told,
    options_amiss,
    settings_told,
)

PAGE = ROOT / "docs" / "menu-worker.md"
TABLE = rows(PAGE)
METRIC = re.compile(r"menu_worker_\w+")
NO_METRICS = {"menu_worker_stood_down", "menu_worker_started"}


class NoAccounts:
    """A worker as the metrics look at it, before its first file."""

    states: tuple[object, ...] = ()
    menus = LoadedMenus({}, {}, {}, ())


def metrics_there_are() -> set[str]:
    shown = WorkerMetrics(cast(Worker, NoAccounts())).render().decode()
    return set(re.findall(r"^# HELP (menu_worker_\w+)", shown, re.MULTILINE))


def logged() -> dict[str, set[str]]:
    """What is logged by its name, and what a pass's outcome is logged as."""
    return logged_by("menu_worker") | {event: {level} for event, level in _EVENTS.values()}


def test_every_metric_is_told_and_no_other() -> None:
    told = {word for word in cells(TABLE, 0) if METRIC.fullmatch(word)}
    assert told - NO_METRICS == metrics_there_are()


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readme_names_only_metrics_that_there_are(page: Path) -> None:
    alerts = {metric for row in rows(page) if len(row) == 3 for metric in METRIC.findall(row[0])}
    assert len(alerts) >= 6
    assert alerts <= metrics_there_are()


def test_every_setting_is_told() -> None:
    assert set(keys_of(MenuWorkerSettings)) <= settings_told(TABLE)


def test_every_command_is_told_with_its_options() -> None:
    assert commands_told(TABLE, "menu-worker", app) == commands_of(app)
    assert options_amiss(TABLE, "menu-worker", app) == {}


def test_every_line_of_the_log_is_told_with_its_level() -> None:
    known = logged()
    told = log_lines_told(TABLE, known)
    assert told.keys() == known.keys()
    assert all(known[event] & levels for event, levels in told.items())


def test_every_type_of_a_button_is_told_with_its_fields() -> None:
    told = {
        type_: set(QUOTED.findall(row[1]))
        for row in TABLE
        if len(row) == 2
        for type_ in QUOTED.findall(row[0])
        if type_ in FIELDS
    }
    assert told == {type_: set(fields) for type_, fields in FIELDS.items()}
    text = PAGE.read_text("utf-8")
    assert [word for word in (*CONSOLE_TYPES, *RULE_FIELDS) if f"`{word}`" not in text] == []


def test_every_result_source_and_guard_is_told() -> None:
    assert {*KINDS.values(), *Source, *Guard} <= cells(TABLE, 0)


def test_the_exit_codes_outrank_each_other_as_is_told() -> None:
    text = PAGE.read_text("utf-8")
    assert "1 outranks 3, 3 outranks 2, and 2 outranks 0" in text
    assert [worst(codes) for codes in ([3, 1], [2, 3], [0, 2])] == [1, 3, 2]


def test_every_path_is_told() -> None:
    text = PAGE.read_text("utf-8")
    for path in (internal.RECONCILE_PATH, internal.PAUSE_PATH, internal.RESUMPTION_PATH):
        assert path in text
