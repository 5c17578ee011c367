"""The adapter for wechatpy against a listener that writes down what arrives."""

from __future__ import annotations

import asyncio
import io
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from token_service.client.wechatpy import through
from zhongkong.runtime.listeners import Listener, Listeners

APPID = "wx0123456789abcdef"
KEY = "orders-key-0123456789abcdefghij"
TOKEN = "/cgi-bin/token"
REFUSED = {"errcode": 40001, "errmsg": "bad-token"}


@dataclass
class Service:
    """Gives token-1, token-2, …; answers everything else with what is next in `answers`, or ok."""

    port: int = 0
    tokens: int = 0
    answers: deque[dict[str, Any]] = field(default_factory=deque)
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tokens_used(self) -> list[str | None]:
        return [query.get("access_token") for _, query, _ in self.calls]

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == TOKEN:
            self.tokens += 1
            answer = {"access_token": f"token-{self.tokens}", "expires_in": 7200}
        else:
            self.calls.append((request.path, dict(request.query), await request.read()))
            answer = self.answers.popleft() if self.answers else {"errcode": 0, "errmsg": "ok"}
        return web.json_response(answer)


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[tuple[Service, WeChatClient]]:
    """The service, and a client that goes through it."""
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", service.answer)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "service")]) as listeners:
        service.port = listeners.port("service")
        client = through(WeChatClient(APPID, KEY, **options), service.url)
        try:
            yield service, client
        finally:
            client._http.close()


async def test_calls_with_addresses_of_their_own_come_along() -> None:
    async with served() as (service, client):
        await asyncio.to_thread(client.menu.get)
        await asyncio.to_thread(client.customservice.get_session, "openid")
        await asyncio.to_thread(client.wxa.get_wxa_code, "pages/index")
        await asyncio.to_thread(client.merchant.order.close, "1")
        assert [path for path, _, _ in service.calls] == [
            "/cgi-bin/menu/get",
            "/customservice/kfsession/getsession",
            "/wxa/getwxacode",
            "/merchant/order/close",
        ]
        assert set(service.tokens_used) == {"token-1"}


async def test_a_refused_token_is_fetched_anew_and_the_call_repeated() -> None:
    async with served() as (service, client):
        service.answers.append(REFUSED)
        assert (await asyncio.to_thread(client.menu.delete))["errcode"] == 0
        assert service.tokens_used == ["token-1", "token-2"]
        await asyncio.to_thread(client.menu.delete)
        assert service.tokens_used[-1] == "token-2"


async def test_an_upload_is_repeated_whole() -> None:
    async with served() as (service, client):
        service.answers.append(REFUSED)
        file = ("a.png", io.BytesIO(b"picture" * 1000), "image/png")
        await asyncio.to_thread(client.media.upload, "image", file)
        [(_, _, first), (_, _, second)] = service.calls
        assert first == second
        assert b"picture" * 1000 in second


async def test_a_call_that_is_always_refused_is_repeated_once() -> None:
    async with served() as (service, client):
        service.answers.extend([REFUSED] * 5)
        with pytest.raises(WeChatClientException) as refused:
            await asyncio.to_thread(client.menu.delete)
        assert refused.value.errcode == 40001
        assert service.tokens_used == ["token-1", "token-2"]


async def test_who_wants_no_repetition_gets_none() -> None:
    async with served(auto_retry=False) as (service, client):
        service.answers.append(REFUSED)
        with pytest.raises(WeChatClientException):
            await asyncio.to_thread(client.menu.delete)
        assert service.tokens_used == ["token-1"]


async def test_a_users_token_is_left_as_it_is() -> None:
    async with served() as (service, client):
        service.answers.append(REFUSED)
        url = "https://api.weixin.qq.com/sns/userinfo"
        with pytest.raises(WeChatClientException):
            await asyncio.to_thread(client.get, url, params={"access_token": "a user's"})
        assert service.tokens_used == ["a user's"]


async def test_a_call_with_the_secret_carries_no_token() -> None:
    async with served() as (service, client):
        await asyncio.to_thread(client.wxa.code_to_session, "a&b 码")
        [(path, query, _)] = service.calls
        assert path == "/sns/jscode2session"
        assert query == {
            "appid": APPID,
            "secret": KEY,
            "js_code": "a&b 码",
            "grant_type": "authorization_code",
        }


async def test_a_proxy_on_the_way_to_wechat_is_none_on_the_way_to_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with served() as (service, client):
        await asyncio.to_thread(client.menu.get)
        assert len(service.calls) == 1


async def test_an_answer_of_any_size_and_form_arrives_untouched() -> None:
    async with served() as (service, client):
        service.answers.append({"errcode": 0, "long": "x" * 10_000})
        assert len((await asyncio.to_thread(client.menu.get))["long"]) == 10_000


@pytest.mark.parametrize("url", ["token-service:8081", "http://user:pw@host", "ftp://host", ""])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    client = WeChatClient(APPID, KEY)
    with pytest.raises(ValueError, match="http://host:8081"):
        through(client, url)
