from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.token_service.proxy.world import Service, service


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Service]:
    """A running service with an emulated WeChat behind it."""
    async with service(tmp_path) as running:
        yield running
