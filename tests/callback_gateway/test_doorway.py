"""Which paths are callbacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from callback_gateway.doorway import ACCOUNT, Doorway

Client = Callable[[web.Application], Awaitable[TestClient[web.Request, web.Application]]]


@pytest.fixture
def app() -> web.Application:
    async def verify(request: web.Request) -> web.Response:
        return web.Response(text=f"verify {request.match_info[ACCOUNT]}")

    async def receive(request: web.Request) -> web.Response:
        return web.Response(text=f"receive {request.match_info[ACCOUNT]}")

    made = web.Application()
    made.router.register_resource(Doorway(verify, receive, {"shop"}.__contains__))
    return made


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_callback_is_led_to_its_account_again_and_again(
    app: web.Application, aiohttp_client: Client, method: str
) -> None:
    client = await aiohttp_client(app)
    for query in ("", "?nonce=1", "?nonce=2"):
        answer = await client.request(method, f"/callback/shop{query}")
        done = {"GET": "verify", "POST": "receive"}[method]
        assert await answer.text() == f"{done} shop"


async def test_an_unknown_account_is_for_the_handler_to_refuse(
    app: web.Application, aiohttp_client: Client
) -> None:
    client = await aiohttp_client(app)
    answer = await client.post("/callback/bank")
    assert await answer.text() == "receive bank"


@pytest.mark.parametrize("path", ["/", "/callback", "/callback/", "/callback/shop/more", "/other"])
async def test_other_paths_are_not_found(
    app: web.Application, aiohttp_client: Client, path: str
) -> None:
    client = await aiohttp_client(app)
    assert (await client.post(path)).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_not_allowed(
    app: web.Application, aiohttp_client: Client, method: str
) -> None:
    client = await aiohttp_client(app)
    answer = await client.request(method, "/callback/shop")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,POST"
