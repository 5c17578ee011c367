"""What every test may use: real servers. What only one folder needs is in that folder."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

from zhongkong.runtime import logs

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

pytest_plugins = [
    "pytester",
    "tests.fixtures.redis",
    "tests.fixtures.cluster",
    "tests.fixtures.sentinel",
    "tests.fixtures.turns",
    "tests.guarantees.plugin",
]

# How long an example takes says more about the machine than about the code, and a run says of the
# same code what the last one said. To look further: `make test PYTEST=--hypothesis-profile=deep`.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("untimed", UNTIMED, derandomize=True, max_examples=60)
settings.register_profile("deep", UNTIMED, max_examples=1000)
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Loading thousands of tests leaves no garbage, and to look for it takes a tenth of the time.

    Nor is any of them garbage before the end.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A process has one log: what a command under test makes of it must not reach the next test."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()
    output = logs._current
    yield
    if structlog.get_config() != configured:
        logs.close()
        logs._current = output
        structlog.configure(**configured)
        root.handlers, root.level = handlers, level
    structlog.contextvars.clear_contextvars()
