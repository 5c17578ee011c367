"""Holds a full test run to docs/guarantees.md.

A run of everything fails when a row names no collected test, and under CI=true when a named one
was skipped or left out. A run of some tests judges nothing. With xdist the controller judges, from
what its workers report; the table itself is read in table.py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.guarantees.table import Row, TableError, not_run, parse, unproven

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT = "docs/guarantees.md"


class TestsSeen:
    """What one run collected and how each test ended."""

    __test__ = False

    def __init__(self) -> None:
        self.collected: set[str] = set()
        self.outcomes: dict[str, str] = {}
        self.problems: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.collected.update(item.nodeid for item in items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        self.collected.update(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed" or report.when == "call":
            self.outcomes[report.nodeid] = report.outcome

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return
        self.problems = self._judge(session.config)
        if self.problems:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.problems:
            terminalreporter.section(f"{DOCUMENT}: not proven", red=True)
        for problem in self.problems:
            terminalreporter.line(f"{DOCUMENT} {problem}", red=True)

    def _judge(self, config: pytest.Config) -> list[str]:
        try:
            rows: list[Row] = parse((config.rootpath / DOCUMENT).read_text(encoding="utf-8"))
        except (OSError, TableError) as error:
            return [str(error)]
        problems = list(unproven(rows, self.collected))
        if not problems and os.environ.get("CI") == "true" and not config.option.collectonly:
            problems = list(not_run(rows, self.outcomes))
        return problems


def is_full_run(config: pytest.Config) -> bool:
    """Tell whether everything was asked for, in the process that sees all of it."""
    option = config.option
    narrowed = (
        bool(option.keyword or option.markexpr or option.ignore or option.ignore_glob)
        or bool(option.deselect)
        or getattr(option, "lf", False)
    )
    is_worker = hasattr(config, "workerinput")
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS and not narrowed and not is_worker
    )


def pytest_configure(config: pytest.Config) -> None:
    if is_full_run(config):
        config.pluginmanager.register(TestsSeen(), "guarantees")
