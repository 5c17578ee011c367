"""A handler of the account's own is made slow through the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import TypeAdapter, ValidationError
from pytest_aiohttp.plugin import AiohttpClient

from tests.emulator.platforms import APPID, OTHER_APPID, OTHER_SECRET, account
from tests.emulator.test_control import control
from zhongkong.emulator import control_handler_delay
from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.server import make_app
from zhongkong.emulator.slow_handler import SlowHandlerSettings
from zhongkong.emulator.world import Setup, World
from zhongkong.runtime.clock import SystemClock

Client = TestClient[Any, Any]
DELAY = f"/accounts/{APPID}/handler-delay"


@dataclass
class Handler:
    """A handler that can be told to be slow. `status` is what it answers."""

    told: list[dict[str, Any]] = field(default_factory=list)
    status: int = 204
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_put("/delay", self.take)
        return app

    async def take(self, http: web.Request) -> web.Response:
        self.told.append(await http.json())
        if self.status == 0:
            await self.let_go.wait()
        return web.Response(status=self.status or 204)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def server(handler: Handler) -> AsyncIterator[TestServer]:
    server = TestServer(handler.app())
    await server.start_server()
    yield server
    handler.let_go.set()
    await server.close()


@pytest.fixture
async def wechat(server: TestServer, aiohttp_client: AiohttpClient) -> Client:
    slow = SlowHandlerSettings(url=str(server.make_url("/delay")))
    accounts = (account(slow_handler=slow), account(OTHER_APPID, OTHER_SECRET))
    client: Client = await aiohttp_client(
        make_app(World(Setup(accounts=accounts), SystemClock(), seed=1))
    )
    return client


async def test_the_handler_is_told_and_the_last_delay_is_remembered(
    wechat: Client, handler: Handler
) -> None:
    assert await control(wechat, "GET", DELAY) == {"delay_s": 0}
    assert await control(wechat, "PUT", DELAY, {"delay_s": 12}) == {"delay_s": 12}
    assert await control(wechat, "GET", DELAY) == {"delay_s": 12}
    assert handler.told == [{"delay_s": 12}]
    shown = await control(wechat, "GET", f"/accounts/{APPID}")
    assert shown["slow_handler"]["delay_s"] == 12


@pytest.mark.parametrize("delay_s", [-1, 61, "long", None, True])
async def test_a_delay_out_of_range_never_reaches_the_handler(
    wechat: Client, handler: Handler, delay_s: object
) -> None:
    refused = await control(wechat, "PUT", DELAY, {"delay_s": delay_s}, status=400)
    assert "delay_s" in refused["detail"]
    assert handler.told == []


async def test_an_account_without_such_a_handler_says_where_it_is_named(wechat: Client) -> None:
    path = f"/accounts/{OTHER_APPID}/handler-delay"
    for method, body in (("GET", None), ("PUT", {"delay_s": 1})):
        refused = await control(wechat, method, path, body, status=404)
        assert "configuration file" in refused["detail"]
    assert (await control(wechat, "GET", f"/accounts/{OTHER_APPID}"))["slow_handler"] is None


async def test_a_handler_that_refuses_is_told_of_and_the_delay_stays(
    wechat: Client, handler: Handler
) -> None:
    await control(wechat, "PUT", DELAY, {"delay_s": 7})
    handler.status = 500
    refused = await control(wechat, "PUT", DELAY, {"delay_s": 0}, status=502)
    assert "500" in refused["detail"]
    assert await control(wechat, "GET", DELAY) == {"delay_s": 7}


async def test_a_handler_that_is_gone_is_told_of(wechat: Client, server: TestServer) -> None:
    url = str(server.make_url("/delay"))
    await server.close()
    refused = await control(wechat, "PUT", DELAY, {"delay_s": 7}, status=502)
    assert url in refused["detail"]
    assert "no connection" in refused["detail"]


async def test_a_handler_that_hangs_is_not_waited_for(
    wechat: Client, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_handler_delay, "ANSWER_WITHIN_S", 0.05)
    handler.status = 0
    refused = await control(wechat, "PUT", DELAY, {"delay_s": 7}, status=502)
    assert "no answer within 0.05 s" in refused["detail"]


async def test_a_reset_makes_the_handler_quick_again(wechat: Client, handler: Handler) -> None:
    await control(wechat, "PUT", DELAY, {"delay_s": 7})
    await control(wechat, "POST", "/reset", {})
    assert handler.told[-1] == {"delay_s": 0}
    assert await control(wechat, "GET", DELAY) == {"delay_s": 0}


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/delay", "http:///delay", "delay", "http://a b/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    facts = {"appid": APPID, "secret": "s", "slow_handler": {"url": url}}
    with pytest.raises(ValidationError, match="begins with http:// or https://"):
        TypeAdapter(EmulatedAccount).validate_python(facts)
