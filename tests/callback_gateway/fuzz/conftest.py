"""The handler that records what gets through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback_gateway.world.handlers import HandlerProcess, handler_process


@pytest.fixture(scope="session")
def handler() -> Iterator[HandlerProcess]:
    with handler_process() as process:
        yield process
