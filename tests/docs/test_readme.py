"""Every command of the READMEs does what stands there, against a world started for it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.docs.blocks import PAGES, READMES, ROOT, RUNNABLE, Block, blocks, rows
from tests.fixtures.tools import require_tool
from tests.local_world.worlds import World, free_base
from token_service.served import Alarm, RejectionOutcome
from token_service.settings import TokenServiceSettings
from zhongkong.emulator.settings import read_setup
from zhongkong.local_world import plan
from zhongkong.runtime.settings import load

RUNS = [block for block in blocks(READMES[0]) if block.info == RUNNABLE]
MARK = "=== block {} ==="
VARYING = {"value", "version", "issued_at", "expires_at", "expires_in", "request_id"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, str]]:
    """What each runnable block printed, by its line. One shell runs them all, in order."""
    require_tool("curl")
    home = tmp_path_factory.mktemp("checkout")
    (home / ".venv").mkdir()
    (home / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    world = World(home, free_base())
    try:
        world.wait_until_ready()
        script = "".join(f"echo '{MARK.format(run.line)}'\n{run.text}\n" for run in RUNS)
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", on_ports_of(world, script)],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert done.stderr == ""
        yield split(done.stdout)
    finally:
        world.child.terminate()


def on_ports_of(world: World, script: str) -> str:
    """The script as a reader would change it who has taken other ports."""
    usual, ours = plan.ports(plan.DEFAULT_BASE), plan.ports(world.base)
    default = {usual[listener]: ours[listener] for listener in usual}
    return re.sub(r"\b(\d{4})\b", lambda found: str(default.get(int(found[1]), found[1])), script)


def split(output: str) -> dict[int, str]:
    parts = re.split(r"=== block (\d+) ===\n", output)[1:]
    return {int(line): text for line, text in zip(parts[::2], parts[1::2], strict=True)}


def answers() -> list[tuple[Block, Block]]:
    """Each runnable block that is followed by the answer it gets."""
    page = blocks(READMES[0])
    return [
        (block, after)
        for block, after in pairwise(page)
        if block.info == RUNNABLE and after.info in {"json", "http"}
    ]


@pytest.mark.parametrize(("run", "shown"), answers(), ids=str)
def test_a_command_gets_the_answer_that_is_shown(
    outputs: dict[int, str], run: Block, shown: Block
) -> None:
    got = outputs[run.line]
    if shown.info == "http":
        assert got.splitlines()[0].strip() == shown.text.splitlines()[0]
        return
    assert lasting(json.loads(got)) == lasting(json.loads(shown.text))


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what differs from run to run reduced to its type."""
    return {name: type(value) if name in VARYING else value for name, value in document.items()}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("keys new", "key_sha256: "),
        ("config check", "good; accounts: 1, clients: 1"),
        ("token-service status", "shop"),
        ("/readyz", '{"status":"ready"}'),
        ("/metrics", 'token_service_token_remaining_seconds{account="shop"'),
        ("/openapi.json", '{"openapi":"3.1.0"'),
    ],
)
def test_a_command_prints(outputs: dict[int, str], command: str, expected: str) -> None:
    [run] = [run for run in RUNS if command in run.text]
    assert expected in outputs[run.line]


def test_the_chinese_readme_has_the_same_blocks() -> None:
    english, chinese = ([(b.info, b.text) for b in blocks(page)] for page in READMES)
    assert chinese == english


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_every_alarm_and_every_outcome_is_explained(page: Path) -> None:
    explained = {row[0].strip("`") for row in rows(page)}
    assert {*Alarm, *RejectionOutcome} <= explained


@pytest.mark.parametrize(
    "block", [b for page in PAGES for b in blocks(page) if b.info == "yaml"], ids=str
)
def test_a_configuration_that_is_shown_is_good(tmp_path: Path, block: Block) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(block.text, encoding="utf-8")
    if block.page.name == "emulator.md":
        assert read_setup(path, {}).accounts
        return
    names = re.findall(r"\{env: (\w+)\}", block.text)
    environ = {name: f"a secret that is long enough, {name}" for name in names}
    assert load(TokenServiceSettings, path, environ, prefix="TOKEN_SERVICE").unbuilt == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    dead = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def test_the_readmes_name_only_targets_that_make_knows() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^ {4}|`)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert named <= targets
    assert {"run", "test", "simulate", "bench"} <= named
