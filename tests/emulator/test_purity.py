"""The model stands without a network, a clock or a service."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = ("aiohttp", "redis", "uvloop", "pydantic", "asyncio", "random", "token_service")


@pytest.mark.parametrize("module", FORBIDDEN)
def test_importing_the_model_loads_nothing_impure(module: str) -> None:
    code = f"import sys, zhongkong.emulator.model; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
