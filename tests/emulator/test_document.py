"""docs/emulator.md says what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.emulator.clocks import HeldClock
from zhongkong.emulator.control import Control
from zhongkong.emulator.endpoints import SERVED
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.settings import read_setup
from zhongkong.emulator.world import Setup, World

DOCUMENT = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
TOLD = set(re.findall(r"`([^`\n]+)`", DOCUMENT))


def test_every_control_call_is_described() -> None:
    calls = Control(World(Setup(), HeldClock(), seed=1), from_anywhere=False)._calls
    assert {f"{method} /_emulator{path}" for method, path in calls} <= TOLD


def test_every_path_parameter_and_fault_field_is_described() -> None:
    names = [each.name for each in (*fields(Parameters), *fields(Fault))]
    assert {*SERVED, *names} <= TOLD


def test_the_configuration_that_is_shown_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "shown.yaml"
    path.write_text(block("yaml"), encoding="utf-8")
    assert read_setup(path, {}).parameters.overlap_s == 0


def test_the_python_that_is_shown_runs() -> None:
    exec(compile(block("python"), "docs/emulator.md", "exec"), {})


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    if found is None:
        pytest.fail(f"docs/emulator.md shows no {language}")
    return found[1]
