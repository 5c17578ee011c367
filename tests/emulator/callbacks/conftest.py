"""An emulator on the machine's clock with short cadences, and a receiver on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pytest_aiohttp.plugin import AiohttpClient

from tests.emulator.callbacks.receivers import KEY, TOKEN, Receiver
from tests.emulator.platforms import APPID, account
from tests.emulator.test_control import control
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.server import make_app
from zhongkong.emulator.world import Setup, World
from zhongkong.runtime.clock import SystemClock

Client = TestClient[Any, Any]
Push = Callable[..., Awaitable[dict[str, Any]]]
Configure = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def world() -> World:
    parameters = Parameters(push_cadence_s=0.02, push_deadline_s=5)
    return World(Setup(accounts=(account(),), parameters=parameters), SystemClock(), seed=1)


@pytest.fixture
async def wechat(world: World, aiohttp_client: AiohttpClient) -> Client:
    client: Client = await aiohttp_client(make_app(world))
    return client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with TestServer(receiver.app()) as server:
        receiver.url = str(server.make_url("/callback"))
        yield receiver
        receiver.let_go.set()


@pytest.fixture
def configure(wechat: Client, receiver: Receiver) -> Configure:
    """Put the callback; `changes` over safe mode at the receiver."""

    async def put(*, status: int = 200, **changes: Any) -> dict[str, Any]:
        body = {"url": receiver.url, "token": TOKEN, "aes_key": KEY, **changes}
        return await control(wechat, "PUT", f"/accounts/{APPID}/callback", body, status=status)

    return put


@pytest.fixture
async def push(wechat: Client, configure: Configure, receiver: Receiver) -> Push:
    """Push something to a configured callback, and wait for its end."""
    await configure()
    receiver.seen.clear()

    async def send(wish: dict[str, Any], *, wait_s: float = 5, status: int = 200) -> dict[str, Any]:
        path = f"/accounts/{APPID}/pushes?wait_s={wait_s}"
        return await control(wechat, "POST", path, wish, status=status)

    return send


@pytest.fixture
def rules(world: World) -> Callable[..., None]:
    """Change parameters."""

    def change(**switches: Any) -> None:
        world.model.parameters = replace(world.model.parameters, **switches)

    return change
