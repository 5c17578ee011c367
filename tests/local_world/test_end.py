"""However and whenever a world ends, no process and no broken file is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.processes import Child
from tests.local_world.conftest import Begin
from tests.local_world.worlds import (
    DEADLINE_S,
    World,
    command_of,
    control,
    free_base,
    has_ended,
    it_ended_in_order,
    nothing_is_left,
    until,
)
from zhongkong.local_world import names

pytestmark = pytest.mark.slow

SIGNALS = int(os.environ.get("LOCAL_WORLD_SIGNALS", "1"))
"""How many of the moments and of the parts below have their turn; each costs a whole world."""
MOMENTS = (
    "menu_worker_started",
    "token_refreshed",
    "listener_opened name=emulator",
    "menu_applied",
)[:SIGNALS]
VICTIMS = ("token_service", "menu_worker", "emulator", "trading_bot")[:SIGNALS]
IGNORING_SIGINT = ("/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh")


@dataclass(frozen=True)
class Killed:
    """A world that was ready and is killed: the pids of its parts, a key it had made."""

    home: Path
    world: World
    parts: list[int]
    key: str


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    home = tmp_path_factory.mktemp("home")
    world = World(home, free_base())
    try:
        parts = world.wait_until_ready().parts()
    finally:
        world.child.kill()
    return Killed(home, world, parts, key_of(world))


@pytest.fixture(scope="module")
def again(killed: Killed) -> Iterator[World]:
    """The same world, started once more."""
    until(lambda: all(map(has_ended, killed.parts)), "the parts ended")
    world = World(killed.home, killed.world.base)
    try:
        yield world.wait_until_ready()
    finally:
        world.child.kill()


def key_of(world: World) -> str:
    return (world.folder / names.ORDERS_KEY).read_text()


def test_the_parts_die_with_a_world_that_is_killed(killed: Killed) -> None:
    assert len(killed.parts) == 5
    nothing_is_left(killed.world, killed.parts)


def test_after_a_kill_the_same_world_starts_again(killed: Killed, again: World) -> None:
    assert key_of(again) == killed.key
    menus = control(again.base, "GET", f"/accounts/{names.APPID}/menu-history")["now"]
    assert menus["is_shown"]


def test_sigterm_ends_a_ready_world_in_order(again: World) -> None:
    """The last that uses this world: it ends it."""
    parts = again.parts()
    assert len(parts) == 5

    assert again.end(signal.SIGTERM) == 0

    nothing_is_left(again, parts)
    it_ended_in_order(again)


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


def test_ctrl_c_is_heard_where_sigint_was_inherited_as_ignored(begin: Begin) -> None:
    world = begin(wrapper=IGNORING_SIGINT)
    until(lambda: bool(world.parts()), "a part was started")
    parts = world.parts()

    assert world.end() == 0

    nothing_is_left(world, parts)


@pytest.mark.parametrize("name", VICTIMS)
def test_a_part_that_dies_ends_the_world_with_a_line_that_says_so(begin: Begin, name: str) -> None:
    world = begin().wait_until_ready()
    parts = world.parts()
    [victim] = [pid for pid in parts if f"{name} " in command_of(pid)]

    os.kill(victim, signal.SIGKILL)

    assert world.child.wait(DEADLINE_S) == 1
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
        assert part.wait(DEADLINE_S) == 0


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
    assert child.wait(DEADLINE_S) == 1
    assert child.output == ""
