"""However and whenever a world ends, no process and no broken file is left."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.processes import Child
from tests.local_world.conftest import Begin
from tests.local_world.worlds import World, command_of, control, has_ended, is_free, until
from zhongkong.local_world import names, plan

pytestmark = pytest.mark.slow

MOMENTS = [
    "listener_opened name=emulator",
    "token_refreshed",
    "menu_worker_started",
    "menu_applied",
]
STORES = (names.STORE, names.INBOX, names.MENU_STORE)
IGNORING_SIGINT = ("/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh")


def nothing_is_left(world: World, parts: list[int]) -> None:
    until(lambda: all(map(has_ended, parts)), "the parts ended")
    assert all(is_free(port) for port in plan.ports(world.base).values())
    assert list(world.folder.rglob("*.new")) == []
    for store in filter(Path.exists, (world.folder / name for name in STORES)):
        with sqlite3.connect(store) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_ready_world_in_order(begin: Begin, number: signal.Signals) -> None:
    world = begin().wait_until_ready()
    parts = world.parts()
    assert len(parts) == 5

    assert world.end(number) == 0

    nothing_is_left(world, parts)
    ends = [
        line.split()[0] for line in world.child.output.splitlines() if "process_stopped" in line
    ]
    assert ends == ["menu-worker", "callback-gateway", "token-service", "emulator"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_ends_a_world_that_is_not_ready(begin: Begin, moment: str) -> None:
    world = begin()
    world.line(moment)
    parts = world.parts()

    assert world.end() == 0

    nothing_is_left(world, parts)


def test_ctrl_c_while_the_first_part_starts_ends_the_world(begin: Begin) -> None:
    world = begin()
    until(lambda: bool(world.parts()), "a part was started")
    parts = world.parts()

    assert world.end() == 0

    nothing_is_left(world, parts)


def test_ctrl_c_while_every_part_loads_ends_the_world(begin: Begin) -> None:
    world = begin()
    until(lambda: len(world.parts()) == 5, "every part was started")
    parts = world.parts()

    assert world.end() == 0

    nothing_is_left(world, parts)


def test_ctrl_c_before_anything_was_started_leaves_nothing(begin: Begin) -> None:
    world = begin()
    world.end()
    nothing_is_left(world, [])


def test_a_ctrl_c_that_arrives_twice_ends_the_world_in_order(begin: Begin) -> None:
    world = begin().wait_until_ready()
    parts = world.parts()
    world.child.send(signal.SIGINT)

    assert world.end() == 0

    nothing_is_left(world, parts)


def test_ctrl_c_is_heard_where_sigint_was_inherited_as_ignored(begin: Begin) -> None:
    world = begin(wrapper=IGNORING_SIGINT).wait_until_ready()
    parts = world.parts()

    assert world.end() == 0

    nothing_is_left(world, parts)


def test_the_parts_die_with_a_world_that_is_killed(begin: Begin) -> None:
    world = begin().wait_until_ready()
    parts = world.parts()

    world.child.kill()

    nothing_is_left(world, parts)


def test_after_a_kill_the_same_world_starts_again(begin: Begin) -> None:
    world = begin().wait_until_ready()
    key = (world.folder / names.ORDERS_KEY).read_text()
    parts = world.parts()
    world.child.kill()
    until(lambda: all(map(has_ended, parts)), "the parts ended")

    again = begin(world.base).wait_until_ready()

    assert (again.folder / names.ORDERS_KEY).read_text() == key
    menus = control(again.base, "GET", f"/accounts/{names.APPID}/menu-history")["now"]
    assert menus["is_shown"]


@pytest.mark.parametrize("name", ["emulator", "token_service", "trading_bot", "menu_worker"])
def test_a_part_that_dies_ends_the_world_with_a_line_that_says_so(begin: Begin, name: str) -> None:
    world = begin().wait_until_ready()
    parts = world.parts()
    [victim] = [pid for pid in parts if f"{name} " in command_of(pid)]

    os.kill(victim, signal.SIGKILL)

    assert world.child.wait() == 1
    last = world.child.output.splitlines()[-1]
    assert last.startswith(f"{name.replace('_', '-')} ended by itself (killed by SIGKILL)")
    assert "Traceback" not in world.child.output
    nothing_is_left(world, parts)


def test_a_part_ends_in_order_when_the_pipe_to_its_parent_closes() -> None:
    words = [sys.executable, "-m", "zhongkong.local_world.child", str(os.getpid())]
    words += ["zhongkong.emulator.server", "zhongkong", "emulator", "--port", "0"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as part:
        assert part.stdout is not None
        assert part.stdin is not None
        part.stdin.write(b"\n")
        part.stdin.flush()
        assert part.stdout.readline()
        part.stdin.close()
        assert part.wait(20) == 0


def test_a_part_whose_turn_never_comes_does_not_begin() -> None:
    words = [sys.executable, "-m", "zhongkong.local_world.child", str(os.getpid())]
    done = subprocess.run(
        [*words, "json", "zhongkong", "--help"], input=b"", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_part_whose_parent_is_gone_already_does_not_begin() -> None:
    words = [
        sys.executable,
        "-m",
        "zhongkong.local_world.child",
        "1",
        "json",
        "zhongkong",
        "--help",
    ]
    child = Child(words)
    assert child.wait() == 1
    assert child.output == ""
