"""What the tests of this folder share: one WeChat and one handler, a world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.callback_gateway.world.handlers import HandlerProcess, handler_process
from tests.callback_gateway.world.world import World, world as make_world
from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.fixtures.processes import Launch


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One process for all: each world has an account of its own there.

    Each try has its own connection, so that a load balancer has something to balance.
    """
    setup = {"parameters": {"push_keep_alive": False}}
    with emulator_process(tmp_path_factory.mktemp("emulator"), setup) as process:
        yield process


@pytest.fixture(scope="session")
def handler(launch: Launch) -> Iterator[HandlerProcess]:
    with handler_process(launch=launch) as process:
        yield process


@pytest.fixture
async def world(
    tmp_path: Path, emulator: EmulatorProcess, handler: HandlerProcess, launch: Launch
) -> AsyncIterator[World]:
    async with make_world(tmp_path, emulator, handler, launch) as it:
        yield it
