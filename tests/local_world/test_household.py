"""Parts as processes of a household. They wait for their turn; what they would be is no matter."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.local_world.worlds import children_of, command_of, has_ended
from zhongkong.local_world.plan import Part
from zhongkong.local_world.processes import Household, PartEnded
from zhongkong.local_world.screen import Screen

NAMES = ("first", "second", "third")
# At its turn each prints a line and ends, as `python -m platform` does.
PARTS = [Part(name, "platform", (name,), "", 5.0, loads="json") for name in NAMES]
WITHIN_S = 20.0
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"


class Lines:
    """In place of a screen."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.came = asyncio.Event()

    def show(self, part: str, line: bytes) -> None:
        self.all.append(f"{part} | {line.decode()}")
        self.came.set()

    def tell(self, text: str) -> None:
        self.all.append(text)


@asynccontextmanager
async def household(
    lines: Lines, parts: Sequence[Part] = PARTS, environ: dict[str, str] | None = None
) -> AsyncIterator[Household]:
    screen = cast(Screen, lines)
    async with asyncio.timeout(WITHIN_S), Household(screen, environ or {}) as running:
        for part in parts:
            await running.start(part)
        yield running


def pids() -> dict[str, int]:
    words = {pid: command_of(pid).split() for pid in children_of(os.getpid())}
    return {name: pid for pid, each in words.items() for name in NAMES if each[-1:] == [name]}


@pytest.mark.parametrize("name", NAMES)
async def test_a_part_that_is_killed_is_named(name: str) -> None:
    async with household(Lines()) as running:
        os.kill(pids()[name], signal.SIGKILL)
        with pytest.raises(PartEnded, match=rf"^{name} ended by itself \(killed by SIGKILL\)"):
            await running.watch(asyncio.Future())


async def test_a_part_that_ends_is_named_with_its_code_behind_its_last_line() -> None:
    lines = Lines()
    async with household(lines) as running:
        running.begin(PARTS[1])
        with pytest.raises(PartEnded, match=r"^second ended by itself \(exit code 0\)"):
            await running.watch(asyncio.Future())
    assert [line.split()[0] for line in lines.all] == ["second"]


async def test_no_part_is_left_when_it_is_over() -> None:
    async with household(Lines()):
        found = pids()
        assert set(found) == set(NAMES)
    assert all(map(has_ended, found.values()))


async def test_a_part_that_does_not_end_in_time_is_killed_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    lines = Lines()
    deaf = replace(PARTS[0], loads="deaf", stop_within_s=0.1)
    async with household(lines, [deaf], {"PYTHONPATH": str(tmp_path)}):
        await lines.came.wait()
        found = pids()
    assert lines.all == ["first | deaf", "first didn't end in time and is killed."]
    assert all(map(has_ended, found.values()))
