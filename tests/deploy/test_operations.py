"""docs/operations.md: a section for every alert, and nothing in it that does not exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from typer import Typer
from typer.main import get_command

from callback_gateway.cli import app as callback_gateway
from menu_worker.cli import app as menu_worker
from tests.deploy.monitored import ADMIN_KEY, Families, Monitored
from tests.deploy.monitoring_files import DASHBOARDS, Rule, labels_of, panels, rules, selectors
from tests.docs.blocks import ROOT, RUNNABLE, Block, blocks
from token_service.cli import app as token_service

PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text("utf-8")
RULES = rules()
NAMES = [rule["alert"] for rule in RULES]
PROGRAMS: dict[str, Typer] = {
    "token-service": token_service,
    "callback-gateway": callback_gateway,
    "menu-worker": menu_worker,
}
SECTION = re.compile(r"^### (\w+)\n\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(TEXT.partition("\n## Alerts\n")[2]))
SPAN = re.compile(r"`([^`]+)`")
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
WORD = re.compile(r"[a-z]+(?:_[a-z0-9]+)+\Z")
PANELS = re.compile(r'panels? ("[^"]+"(?:(?:,| and) "[^"]+")*)')
TITLE = re.compile(r'"([^"]+)"')
SOURCES = ("token_service", "callback_gateway", "menu_worker", "zhongkong/runtime")
RUNS = [block for block in blocks(PAGE) if block.info == RUNNABLE]
_RUN_S = 60.0


def commands() -> list[str]:
    """Every command line of ours on the page, in text and in blocks."""
    joined = re.sub(r"\s*\\\n\s*", " ", TEXT)
    lines = [re.sub(r"\s+", " ", span) for span in SPAN.findall(PROSE)]
    lines += [part for line in joined.splitlines() for part in re.split(r"[;&|'`]", line)]
    stripped = {line.strip() for line in lines}
    return sorted(line for line in stripped if line.partition(" ")[0] in PROGRAMS and " " in line)


@cache
def sources() -> str:
    files = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in files)


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    assert list(SECTIONS) == NAMES


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_section_says_how_urgent_where_to_look_and_what_to_do(rule: Rule) -> None:
    section = SECTIONS[rule["alert"]]
    assert section.startswith(f"**{rule['labels']['severity']}** ")
    assert re.search(r"^- Look: \S", section, re.MULTILINE)
    assert re.search(r"^- Do: \S", section, re.MULTILINE)


@pytest.mark.parametrize("line", commands())
def test_a_command_exists_with_its_options(line: str) -> None:
    program, *words = shlex.split(line)
    command = get_command(PROGRAMS[program])
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not hasattr(command, "commands"), f"{line} names no command"
    there = {name for each in command.params for name in each.opts}
    assert {word for word in words if word.startswith("--")} <= there


def test_the_commands_of_every_service_are_among_them() -> None:
    assert {line.partition(" ")[0] for line in commands()} == PROGRAMS.keys()
    assert len(commands()) > 20


def test_every_name_on_the_page_is_one_that_the_services_know() -> None:
    words = {word for span in SPAN.findall(PROSE) for word in span.split() if WORD.match(word)}
    known = {"process_cpu_seconds_total", "used_memory", "http_401"}
    assert {word for word in words - known if _name(word) not in sources()} == set()


def _name(word: str) -> str:
    """As the code spells it, which puts prefix and suffix to a metric by itself."""
    for prefix in ("token_service_", "callback_gateway_", "menu_worker_"):
        if word.startswith(prefix) and word not in sources():
            return word.removeprefix(prefix).removesuffix("_total")
    return word


def test_every_panel_that_is_named_stands_on_a_dashboard() -> None:
    titles = {panel["title"] for path in DASHBOARDS for panel in panels(path)}
    flat = re.sub(r"\s+", " ", TEXT)
    named = {title for group in PANELS.findall(flat) for title in TITLE.findall(group)}
    assert len(named) > 5
    assert named <= titles


@pytest.mark.slow
@pytest.mark.parametrize("block", RUNS, ids=str)
def test_a_block_that_is_said_to_run_runs(block: Block, services: Monitored) -> None:
    done = in_shell(block.text, services.folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_copy_made_while_the_worker_runs_is_whole(services: Monitored, tmp_path: Path) -> None:
    [copying] = [block for block in RUNS if "VACUUM" in block.text]
    for old in services.folder.glob("backup/*"):
        old.unlink()

    assert in_shell(copying.text, services.folder).returncode == 0

    [copy] = services.folder.glob("backup/menu_worker-*.db")
    (tmp_path / "var").mkdir()
    copy.rename(tmp_path / "var" / "menu_worker.db")
    for name in ("menu_worker.yaml", "orders.key", "shop.yaml"):
        (tmp_path / name).write_bytes((services.folder / name).read_bytes())
    history = in_shell("menu-worker history --account shop", tmp_path)
    assert history.returncode == 0, history.stderr
    assert len(history.stdout.splitlines()) >= 2
    assert (services.folder / "backup" / "token_service.db.opaque-keys").stat().st_size


@pytest.mark.slow
def test_every_metric_on_the_page_is_exported(exported: Families) -> None:
    named = {each.metric for span in SPAN.findall(PROSE) for each in selectors(span)}
    assert len(named) > 8
    known = exported.keys() | {"menu_worker_stood_down"}  # a line of the log
    assert {metric for metric in named - known if labels_of(metric, exported) is None} == set()


def in_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As an operator runs it in the folder of the configurations."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "ZHONGKONG_ADMIN_KEY": ADMIN_KEY},
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
    )
