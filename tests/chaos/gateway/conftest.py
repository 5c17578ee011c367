"""What the tests of this folder share: a WeChat that forgets no push of a long run, and the code.

What a start of Python adds to a gateway is under test in test_lone_restart and test_full_disk.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback_gateway.loaded import LOADED
from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.fixtures.processes import Launch
from tests.fixtures.warm import warm

_HELD = 1_000_000


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    setup = {"parameters": {"pushes_held": _HELD, "callbacks_held": _HELD}}
    with emulator_process(tmp_path_factory.mktemp("emulator"), setup) as process:
        yield process


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """Where gateways and handlers come from."""
    with warm(*LOADED) as launch:
        yield launch
