"""What the tests of this folder share: one WeChat, one loading of the code, a deployment for each.

What a start of Python adds to a process is under test in test_bad_start, test_secrecy and
test_shutdown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment, deployed
from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.fixtures.processes import Launch
from tests.fixtures.warm import warm

LOADED = (
    "token_service.app",
    "token_service.cli",
    "token_service.status_view",
    "token_service.stores.redis",
    "token_service.stores.sqlite",
    "uvloop",
    "zhongkong.runtime.redis",
)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One process for all tests: each of them has accounts of its own there."""
    with emulator_process(tmp_path_factory.mktemp("emulator")) as process:
        yield process


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """Where the processes of the token service come from."""
    with warm(*LOADED) as launch:
        yield launch


@pytest.fixture
async def deployment(
    tmp_path: Path, emulator: EmulatorProcess, launch: Launch
) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path, emulator, launch) as it:
        yield it
