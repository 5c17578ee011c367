"""`zhongkong emulator` as a process, and what its configuration may say."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientSession

from tests.emulator.platforms import APPID
from tests.fixtures.processes import Child
from zhongkong.cli import app
from zhongkong.emulator.settings import read_setup
from zhongkong.runtime.commandline import run_app
from zhongkong.runtime.settings import ConfigError

COMMAND = [sys.executable, "-m", "zhongkong", "emulator"]
WITHIN_S = 60.0
Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[Child] = []

    def run(*arguments: str) -> Child:
        children.append(Child([*COMMAND, *arguments]))
        return children[-1]

    yield run
    for each in children:
        each.kill()


def ended(*arguments: str) -> int:
    """The exit code of `zhongkong` with these words, which make it end before it runs anything."""
    return run_app(app, arguments, name="zhongkong")


def write(folder: Path, text: str) -> Path:
    path = folder / "emulator.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_the_curl_line_that_is_printed_fetches_a_token(start: Start) -> None:
    line = start("--port", "0").wait_for_line("curl 'http", timeout_s=WITHIN_S)
    async with ClientSession() as session, session.get(line.split("'")[1]) as response:
        assert "access_token" in orjson.loads(await response.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_exit_code_0(start: Start, number: signal.Signals) -> None:
    child = start("--port", "0")
    child.wait_for_line("Control calls", timeout_s=WITHIN_S)
    child.send(number)
    assert child.wait(WITHIN_S) == 0


def test_a_busy_port_is_one_line_that_names_it(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        child = start("--port", str(port))
        assert child.wait(WITHIN_S) == 1
    assert f"127.0.0.1:{port}" in child.output
    assert f"zhongkong emulator --port {port % 65535 + 1}" in child.output
    assert "Traceback" not in child.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["emulator", "--prot", "1"],
        ["emulator", "--port", "x"],
        ["emulator", "--port", "70000"],
        ["emulator", "surplus"],
        ["nothing"],
        [],
    ],
)
def test_misuse_exits_64_without_a_traceback(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*arguments) == 64
    said = capsys.readouterr().err
    assert "Usage: zhongkong" in said
    assert "Traceback" not in said


def test_help_exits_0() -> None:
    assert ended("emulator", "--help") == 0


def test_a_file_describes_accounts_parameters_and_faults(tmp_path: Path) -> None:
    text = f"""\
seed: 7
accounts:
  - appid: {APPID}
    secret: {"s" * 32}
    kind: sandbox
    allowlist: {{enabled: true, addresses: [127.0.0.0/8]}}
parameters: {{overlap_s: 0, lifetimes_s: [7200, 300], daily_limits: {{/cgi-bin/token: 5}}}}
faults:
  - {{kind: latency, delay: {{shape: wild}}}}
"""
    setup = read_setup(write(tmp_path, text), {})
    assert setup.seed == 7
    assert setup.accounts[0].kind == "sandbox"
    assert setup.accounts[0].allowlist.addresses == ("127.0.0.0/8",)
    assert setup.parameters.lifetimes_s == (7200, 300)
    assert setup.faults[0].delay.shape == "wild"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("sed: 1\n", ":1:", "sed"),
        ("seed: 1\nparameters:\n  overlap: 3\n", ":3:", "overlap"),
        ("seed: 1\nparameters:\n  generations: 0\n", ":", "between 1 and 16"),
        ("accounts:\n  - appid: wx1\n", ":2:", "secret"),
        ("accounts:\n  - {appid: a, secret: b}\n  - {appid: a, secret: c}\n", ":3:", "already"),
        ("faults:\n  - kind: flood\n", ":2:", "latency"),
        ("seed: [\n", ":", "YAML"),
    ],
)
def test_a_bad_file_is_refused_by_line(tmp_path: Path, text: str, where: str, what: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_setup(path, {})
    assert f"{path}{where}" in str(refused.value)
    assert what in str(refused.value)


def test_a_missing_file_ends_the_command_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("emulator", "--config", str(tmp_path / "none.yaml")) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "none.yaml" in line
