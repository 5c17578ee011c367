"""The model stands without a network, a clock or a service."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = ("aiohttp", "redis", "uvloop", "pydantic", "asyncio", "random", "token_service")


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """Every module of a process that has imported the model alone."""
    code = "import sys, zhongkong.emulator.model; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("module", FORBIDDEN)
def test_importing_the_model_loads_nothing_impure(module: str, loaded: list[str]) -> None:
    assert "zhongkong.emulator.model" in loaded
    assert module not in loaded
