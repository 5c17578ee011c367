"""What every test may use: real servers. What only one folder needs is in that folder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

from zhongkong.runtime import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = [
    "pytester",
    "tests.fixtures.redis",
    "tests.fixtures.sentinel",
    "tests.fixtures.turns",
    "tests.guarantees.plugin",
]

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")


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
