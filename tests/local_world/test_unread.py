"""A world whose lines nobody reads any more, and parts that end before or with their words."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.local_world.worlds import DEADLINE_S, READY, UP, environment, free_base
from zhongkong.local_world.plan import Part
from zhongkong.local_world.processes import Household, PartEnded
from zhongkong.local_world.screen import Screen

PART = Part("gateway", "gone", (), "", 5.0, loads="json")


@pytest.mark.slow
def test_a_world_ends_when_the_pipe_that_it_prints_into_has_no_reader(tmp_path: Path) -> None:
    words = [*UP, "--port-base", str(free_base())]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True, env=environment()
    ) as world:
        assert world.stdout is not None
        assert world.stderr is not None
        while READY not in world.stdout.readline():
            assert world.poll() is None
        world.stdout.close()
        assert world.wait(DEADLINE_S) == 1
        told = world.stderr.read()
    assert told.startswith("what reads the local world's lines has ended")
    assert "zhongkong up > FILE" in told


class Silent:
    """In place of a screen."""

    def show(self, part: str, line: bytes) -> None:
        """Nobody looks."""

    tell = show


async def test_a_part_that_says_why_it_ends_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "gone.py").write_text("import sys; sys.exit('the \x1b[2J disk is full')")
    with pytest.raises(PartEnded) as ended:
        await begun_and_ended(PART, {"PYTHONPATH": str(tmp_path)})
    said = str(ended.value)
    assert said.startswith("gateway ended by itself (exit code 1): the \\x1b[2J disk is full. ")


async def test_a_part_that_ends_while_it_loads_is_named_at_its_turn(tmp_path: Path) -> None:
    (tmp_path / "gone.py").write_text("raise SystemExit(3)")
    with pytest.raises(
        PartEnded, match=r"^gateway ended by itself \(exit code 3\); its last lines"
    ):
        await begun_and_ended(replace(PART, loads="gone"), {"PYTHONPATH": str(tmp_path)})


async def begun_and_ended(part: Part, environ: dict[str, str]) -> None:
    async with asyncio.timeout(DEADLINE_S), Household(cast(Screen, Silent()), environ) as running:
        await running.start(part)
        running.begin(part)
        try:
            await running.watch(asyncio.Future())
        except PartEnded:
            running.begin(part)
            raise
