"""Every command of the READMEs does what stands there, against a world started for it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.docs.blocks import PAGES, READMES, ROOT, RUNNABLE, Block, blocks, rows
from tests.fixtures.redis import free_port
from tests.fixtures.tools import require_tool
from tests.local_world.worlds import World, environment, free_base
from token_service.served import Alarm, RejectionOutcome
from zhongkong.local_world import plan

RUNS = [block for block in blocks(READMES[0]) if block.info == RUNNABLE]
MARK = "=== block {} ==="
SLOW = "8084/delay"
HANDLER_PORT = 8090
DEADLINE_S = 240
VARYING = {
    *("value", "version", "issued_at", "expires_at", "expires_in", "request_id"),
    *("at", "accepted_at", "died_at", "time", "create_time", "took_s"),
    *("id", "event_id", "msg_id", "MsgId", "seq", "next"),
}
NAMED = re.compile(r"# ([\w.]+)\n")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, str]]:
    """What each runnable block printed, by its line. One shell runs them all."""
    require_tool("curl")
    home = tmp_path_factory.mktemp("checkout")
    (home / ".venv").symlink_to(sys.prefix)
    world = World(home, free_base())
    try:
        ports = ports_of(world)
        save_programs(home, ports)
        world.wait_until_ready()
        code, stdout, stderr = in_shell(on_ports(ports, script_of(RUNS)), home)
        assert code == 0, f"{stdout}\n{stderr}"
        assert stderr == ""
        yield split(on_ports({ours: usual for usual, ours in ports.items()}, stdout))
    finally:
        world.child.kill()


def script_of(runs: list[Block]) -> str:
    """All of them in order; one that waits for WeChat, and defines nothing, beside the others."""
    [slow] = [run for run in runs if SLOW in run.text]
    before, after = runs[: runs.index(slow)], runs[runs.index(slow) + 1 :]
    return f"""\
{"".join(map(marked, before))}
( {marked(slow)} ) > slow.out &
slow=$!
{"".join(map(marked, after))}
wait $slow
cat slow.out
"""


def marked(run: Block) -> str:
    return f"echo '{MARK.format(run.line)}'\n{run.text}\n"


def in_shell(script: str, folder: Path) -> tuple[int, str, str]:
    """Run it to its end, and end what it left behind."""
    with subprocess.Popen(
        ["/bin/sh", "-eu", "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(),
    ) as shell:
        try:
            stdout, stderr = shell.communicate(timeout=DEADLINE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        return shell.returncode, stdout, stderr


def save_programs(folder: Path, ports: dict[int, int]) -> None:
    """Save the programs that are shown under the names that they begin with, as a reader would."""
    for block in blocks(READMES[0]):
        if block.info == "python" and (named := NAMED.match(block.text)):
            (folder / named[1]).write_text(on_ports(ports, block.text), encoding="utf-8")


def ports_of(world: World) -> dict[int, int]:
    """What a reader would change who has taken other ports."""
    usual, ours = plan.ports(plan.DEFAULT_BASE), plan.ports(world.base)
    return {usual[listener]: ours[listener] for listener in usual} | {HANDLER_PORT: free_port()}


def on_ports(ports: dict[int, int], text: str) -> str:
    return re.sub(r"\b(\d{4,5})\b", lambda found: str(ports.get(int(found[1]), found[1])), text)


def split(output: str) -> dict[int, str]:
    parts = re.split(r"=== block (\d+) ===\n", output)[1:]
    return {int(line): text for line, text in zip(parts[::2], parts[1::2], strict=True)}


def answers() -> list[tuple[Block, Block]]:
    """Each runnable block that is followed by the answer it gets."""
    page = blocks(READMES[0])
    return [
        (block, after)
        for block, after in pairwise(page)
        if block.info == RUNNABLE and after.info in {"json", "http", "text"}
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("run", "shown"), answers(), ids=str)
def test_a_command_gets_the_answer_that_is_shown(
    outputs: dict[int, str], run: Block, shown: Block
) -> None:
    got = outputs[run.line]
    if shown.info == "http":
        assert got.splitlines()[0].strip() == shown.text.splitlines()[0]
        return
    if shown.info == "text":
        assert skipping(got, shown.text) == []
        return
    assert lasting(json.loads(got)) == lasting(json.loads(shown.text))


def skipping(got: str, shown: str) -> list[str]:
    """The shown lines that are not there, in this order; others may stand between them."""
    printed = iter(got.splitlines())
    return [line for line in shown.splitlines() if line not in printed]


def lasting(value: Any, name: str = "") -> Any:
    """The document with what differs from run to run reduced to its type."""
    if isinstance(value, dict):
        return {key: lasting(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [lasting(each) for each in value]
    return type(value) if name in VARYING else value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("token-service keys new", "key_sha256: "),
        ('tokens/kill\ncurl -s "$wechat/getcallbackip', '"ip_list"'),
        ("menu-worker history", "run  changed  verified"),
        ("8084/delay", "现持有 1 手"),
        ("token-service config check", "good; accounts: 1, clients: 2"),
        ("token-service status", "shop"),
        ("/readyz", '{"status":"ready"}'),
        ("/metrics", 'token_service_token_remaining_seconds{account="shop"'),
        ("/openapi.json", '{"openapi":"3.1.0"'),
        ("until callback-gateway status", " echo "),
        ('callback-gateway send --content "echo 你好"', "<![CDATA[You said: echo 你好]]>"),
        ("kill $handler\ncallback-gateway send", "<![CDATA[请稍候]]>"),
        ('dead-letters redrive "$letter"', "redriven: 1\nwechat.message.text redriven"),
        ("routes test", "answer: the one that is configured, by "),
        ("dead-letters redrive --target echo", "redriven: 0"),
        (
            "menu-worker plan",
            "\n  2 added, 2 removed; calls: create, ",
        ),
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
