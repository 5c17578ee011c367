from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.alone import alone_in
from tests.fixtures.redis import free_port
from tests.token_service.running import WeChat, running, wechat, write_config
from tests.token_service.settings_files import MINIMAL, write
from token_service.cli import main
from token_service.keys import digest_of_key

ADMIN = "admin-key-0123456789abcdefghij"
Output = pytest.CaptureFixture[str]


@pytest.fixture
async def emulator() -> AsyncIterator[WeChat]:
    async with wechat() as it:
        yield it


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")


def test_a_good_configuration_is_called_good(tmp_path: Path, capsys: Output) -> None:
    path = write(tmp_path, MINIMAL + "    service_account: a/b\naccounts_dir: x\n")

    assert main(["config", "check", "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "good; accounts: 1, clients: 1" in shown
    assert "token_service.yaml:9: clients[0].service_account: has no effect yet" in shown
    assert "token_service.yaml:10: accounts_dir: has no effect yet" in shown


def test_every_problem_is_a_line_with_file_and_line(tmp_path: Path, capsys: Output) -> None:
    path = write(tmp_path, MINIMAL + "lisen: 1\nlog_level: loud\n")

    assert main(["config", "check", "--config", str(path)]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{path}:9: lisen: ")
    assert second.startswith(f"{path}:10: log_level: ")


def test_the_file_is_found_by_variable_or_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["config", "check"]) == 1
    path = write(tmp_path)
    assert main(["config", "check"]) == 0
    path.rename(tmp_path / "other.yaml")
    monkeypatch.setenv("TOKEN_SERVICE_CONFIG", "other.yaml")
    assert main(["config", "check"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run", "--nonsense"],
        ["keys", "new"],
        ["keys", "new", "a b"],
        ["config", "chek"],
    ],
)
def test_a_misused_command_exits_64(arguments: list[str]) -> None:
    assert main(arguments) == 64


def test_a_new_key_comes_with_its_entry(capsys: Output) -> None:
    assert main(["keys", "new", "orders"]) == 0
    key, *rest = capsys.readouterr().out.splitlines()

    assert len(key) == 32
    assert f"    key_sha256: {digest_of_key(key)}" in rest


def test_run_with_a_bad_configuration_exits_1_without_a_traceback(
    tmp_path: Path, capsys: Output
) -> None:
    path = write(tmp_path, "accounts: 5\n")

    assert main(["run", "--config", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:1: accounts: ")


def test_status_of_a_service_that_isn_t_there_is_one_clear_line(
    tmp_path: Path, capsys: Output
) -> None:
    path = tmp_path / "token_service.yaml"
    path.write_text(f"internal_listen: 127.0.0.1:{free_port()}\n")

    assert main(["status", "--config", str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no token service answers" in line
    assert "token-service run" in line


async def test_status_shows_each_account_as_a_table(
    tmp_path: Path, emulator: WeChat, capsys: Output
) -> None:
    path = write_config(tmp_path, emulator.port)
    async with running(path) as it:
        await it.token()
        code = await asyncio.to_thread(main, ["status", "--config", str(path)])

    shown = capsys.readouterr().out
    assert code == 0
    assert "shop" in shown
    assert "119 min" in shown
    assert "normal 1/500000" in shown


async def test_status_names_cause_and_remedy_of_a_failure(
    tmp_path: Path, emulator: WeChat, capsys: Output
) -> None:
    path = write_config(tmp_path, emulator.port)
    (tmp_path / "secret").write_text("f" * 32)
    async with running(path) as it:
        await it.token("?wait=1")
        await asyncio.to_thread(main, ["status", "--config", str(path)])

    shown = " ".join(capsys.readouterr().out.split())
    assert "shop: " in shown
    assert "errcode 40125" in shown
    assert "Copy the AppSecret" in shown


async def test_status_as_json_is_the_document(
    tmp_path: Path, emulator: WeChat, capsys: Output
) -> None:
    path = write_config(tmp_path, emulator.port)
    async with running(path) as it:
        await it.token()
        capsys.readouterr()
        await asyncio.to_thread(main, ["status", "--json", "--config", str(path)])
        shown = capsys.readouterr().out

    document = json.loads(shown[shown.index("{\n") :])
    assert document["tokens"][0]["account"] == "shop"


async def test_the_admin_key_comes_from_a_variable_or_a_file(
    tmp_path: Path, emulator: WeChat, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    path = write_config(tmp_path, emulator.port, extra=extra)
    key_file = tmp_path / "admin.key"
    key_file.write_text(ADMIN + "\n")
    async with running(path):
        command = ["status", "--config", str(path)]
        assert await asyncio.to_thread(main, command) == 1
        assert "ZHONGKONG_ADMIN_KEY" in capsys.readouterr().err
        assert await asyncio.to_thread(main, [*command, "--key-file", str(key_file)]) == 0
        monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN)
        assert await asyncio.to_thread(main, command) == 0


def test_a_missing_key_file_is_one_clear_line(tmp_path: Path, capsys: Output) -> None:
    path = write(tmp_path)

    assert main(["status", "--config", str(path), "--key-file", "none"]) == 1
    assert capsys.readouterr().err == "the key file none can't be read\n"


def test_the_process_ends_with_0_on_sigterm_and_says_a_taken_port_plainly(tmp_path: Path) -> None:
    path = write_config(tmp_path, free_port())
    command = [sys.executable, "-m", "token_service", "run", "--config", str(path)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        opened = 0
        while opened < 2:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            opened += json.loads(line)["event"] == "listener_opened"
        text = path.read_text().replace("tokens.db", "other.db")
        second_path = tmp_path / "second.yaml"
        second_path.write_text(text)
        second = subprocess.run(
            [*command[:-1], str(second_path)],
            capture_output=True,
            text=True,
            env=environ,
            timeout=20,
            check=False,
        )
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)

    assert second.returncode == 1
    assert "is taken by" in second.stderr
    assert "Traceback" not in second.stderr + second.stdout
    assert process.returncode == 0, errors
    assert "process_stopped" in rest
