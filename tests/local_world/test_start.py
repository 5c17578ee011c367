"""Why a world can't start, said in one line that tells what to do; and what it is started with."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from tests.local_world.conftest import Begin
from tests.local_world.worlds import World, free_base, is_free, run_up
from token_service.settings import TokenServiceSettings
from zhongkong.emulator.settings import read_setup
from zhongkong.local_world import plan
from zhongkong.local_world.folder import prepare
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.settings import load


def the_one_line(stderr: str) -> str:
    [line] = stderr.strip().splitlines()
    return line


@pytest.mark.parametrize("listener", plan.ports(0))
def test_a_busy_port_is_named_with_its_owner_and_a_way_out(tmp_path: Path, listener: str) -> None:
    base = free_base()
    port = plan.ports(base)[listener]
    with socket.create_server(("127.0.0.1", port)):
        ended = run_up(tmp_path, "--port-base", str(base))
    assert ended.returncode == 1
    line = the_one_line(ended.stderr)
    assert f"port {port} " in line
    assert f"pid {os.getpid()} " in line
    other = re.search(r"make run PORT_BASE=(\d+)", line)
    assert other is not None
    assert all(is_free(port) for port in plan.ports(int(other[1])).values())


def test_a_second_world_in_the_same_place_says_what_is_wrong(world: World) -> None:
    home = world.folder.parents[2]
    ended = run_up(home, "--port-base", str(world.base))
    assert ended.returncode == 1
    line = the_one_line(ended.stderr)
    assert f"pid {world.child.pid}" in line
    assert "make run PORT_BASE=" in line
    assert world.child.running


def test_a_second_world_from_another_folder_names_the_first_as_the_owner(
    world: World, tmp_path: Path
) -> None:
    ended = run_up(tmp_path, "--port-base", str(world.base))
    assert ended.returncode == 1
    line = the_one_line(ended.stderr)
    assert f"port {world.base} " in line
    assert any(f"pid {pid} " in line for pid in world.parts())


def test_two_worlds_run_side_by_side_on_their_own_ports(begin: Begin) -> None:
    first, second = begin(), begin()
    first.wait_until_ready()
    second.wait_until_ready()
    assert first.end() == 0
    assert second.child.running


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port-base", "0"),
        ("--port-base", "64001"),
        ("--port-base", "abc"),
        ("--port", "8080"),
        ("surplus",),
    ],
)
def test_misuse_exits_64(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = run_up(tmp_path, *arguments)
    assert ended.returncode == 64
    assert "Usage: zhongkong up" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run_up(tmp_path, "--port-base", str(free_base()), "--folder", "file")
    assert ended.returncode == 1
    assert "--folder" in the_one_line(ended.stderr)


def test_the_files_are_good_configurations(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    loaded = load(
        TokenServiceSettings, tmp_path / plan.TOKEN_SERVICE_CONFIG, {}, prefix="TOKEN_SERVICE"
    )
    assert loaded.unbuilt == ()
    [account] = loaded.settings.accounts
    [emulated] = read_setup(tmp_path / plan.EMULATOR_CONFIG, {}).accounts
    assert (account.appid, account.secret.reveal()) == (emulated.appid, emulated.secret)


def test_keys_stay_from_run_to_run_and_the_token_store_begins_anew(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    kept = {name: (tmp_path / name).read_text() for name in plan.KEPT}
    (tmp_path / plan.STORE).touch()

    prepare(tmp_path, 8080, SystemRandomness())

    assert {name: (tmp_path / name).read_text() for name in plan.KEPT} == kept
    assert not (tmp_path / plan.STORE).exists()


@pytest.mark.parametrize("damage", ["", "short\n", "x" * 500, "two lines of\nwords and spaces"])
def test_a_damaged_key_is_made_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / plan.ORDERS_KEY).write_text(damage)
    prepare(tmp_path, 8080, SystemRandomness())
    assert re.fullmatch(r"[0-9a-f]{32}\n", (tmp_path / plan.ORDERS_KEY).read_text())


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    prepare(tmp_path, 8080, SystemRandomness())
    key = tmp_path / plan.ORDERS_KEY
    key.chmod(0o644)
    prepare(tmp_path, 8080, SystemRandomness())
    assert key.stat().st_mode & 0o777 == 0o600
