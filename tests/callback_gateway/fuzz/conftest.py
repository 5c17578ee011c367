"""The handler that records what gets through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback_gateway.world.handlers import HandlerProcess, handler_process
from tests.fixtures.processes import Launch


@pytest.fixture(scope="session")
def handler(launch: Launch) -> Iterator[HandlerProcess]:
    with handler_process(launch=launch) as process:
        yield process
