"""`zhongkong emulator` as a process, and what its configuration may say."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientSession

from tests.emulator.platforms import APPID
from tests.fixtures.processes import Child
from zhongkong.emulator.settings import read_setup
from zhongkong.runtime.settings import ConfigError

COMMAND = [sys.executable, "-m", "zhongkong", "emulator"]
Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[Child] = []

    def run(*arguments: str) -> Child:
        children.append(Child([*COMMAND, *arguments]))
        return children[-1]

    yield run
    for each in children:
        each.terminate()


def run_to_end(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "zhongkong", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


def write(folder: Path, text: str) -> Path:
    path = folder / "emulator.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_the_curl_line_that_is_printed_fetches_a_token(start: Start) -> None:
    line = start("--port", "0").wait_for_line("curl 'http")
    async with ClientSession() as session, session.get(line.split("'")[1]) as response:
        assert "access_token" in orjson.loads(await response.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_exit_code_0(start: Start, number: signal.Signals) -> None:
    child = start("--port", "0")
    child.wait_for_line("Control calls")
    child._process.send_signal(number)
    assert child._process.wait(10) == 0


def test_a_busy_port_is_one_line_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_to_end("emulator", "--port", str(port))
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr
    assert f"zhongkong emulator --port {port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


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
def test_misuse_exits_64_without_a_traceback(arguments: list[str]) -> None:
    ended = run_to_end(*arguments)
    assert ended.returncode == 64
    assert "Usage: zhongkong" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_exits_0() -> None:
    assert run_to_end("emulator", "--help").returncode == 0


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


def test_a_missing_file_ends_the_command_with_one_line(tmp_path: Path) -> None:
    ended = run_to_end("emulator", "--config", str(tmp_path / "none.yaml"))
    assert ended.returncode == 1
    assert "none.yaml" in ended.stderr
    assert "Traceback" not in ended.stderr
