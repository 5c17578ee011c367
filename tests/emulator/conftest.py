"""The emulator behind aiohttp's test server, on a held clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.clocks import HeldClock
from tests.emulator.platforms import account
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.server import make_app
from zhongkong.emulator.world import Setup, World

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from pytest_aiohttp.plugin import AiohttpClient


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def world(clock: HeldClock) -> World:
    parameters = Parameters(content_types=("application/json; encoding=utf-8",))
    return World(Setup(accounts=(account(),), parameters=parameters), clock, seed=1)


@pytest.fixture
async def wechat(world: World, aiohttp_client: AiohttpClient) -> TestClient[Any, Any]:
    client: TestClient[Any, Any] = await aiohttp_client(make_app(world))
    return client
