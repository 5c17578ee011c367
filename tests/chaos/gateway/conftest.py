"""What the tests of this folder share: a WeChat that forgets no push of a long run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.emulated import EmulatorProcess, emulator_process

_HELD = 1_000_000


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    setup = {"parameters": {"pushes_held": _HELD, "callbacks_held": _HELD}}
    with emulator_process(tmp_path_factory.mktemp("emulator"), setup) as process:
        yield process
