"""What the tests of this folder share: one WeChat for all, a deployment for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment, deployed
from tests.chaos.emulated import EmulatorProcess, emulator_process


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One process for all tests: each of them has accounts of its own there."""
    with emulator_process(tmp_path_factory.mktemp("emulator")) as process:
        yield process


@pytest.fixture
async def deployment(tmp_path: Path, emulator: EmulatorProcess) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path, emulator) as it:
        yield it
