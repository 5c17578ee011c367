from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from zhongkong.local_world import names
from zhongkong.local_world.first_token import token_trouble

KEY = "k" * 32


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (200, {"value": "92_x"}, None),
        (503, {"detail": "WeChat says no"}, "WeChat says no"),
        (500, ["no problem"], "it answers 500"),
    ],
)
async def test_why_there_is_no_token_is_what_the_service_tells_its_clients(
    aiohttp_server: AiohttpServer, tmp_path: Path, status: int, body: object, trouble: str | None
) -> None:
    asked: list[tuple[str, str]] = []

    async def token(request: web.Request) -> web.Response:
        asked.append((request.headers["Authorization"], request.query["wait"]))
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/v1/accounts/shop/tokens/access_token", token)
    server = await aiohttp_server(app)
    (tmp_path / names.ORDERS_KEY).write_text(f"{KEY}\n")

    assert await token_trouble((server.port or 0) - 1, tmp_path) == trouble
    assert asked == [(f"Bearer {KEY}", "5")]


async def test_a_key_that_is_gone_is_named(tmp_path: Path) -> None:
    trouble = await token_trouble(8080, tmp_path)
    assert trouble is not None
    assert str(tmp_path / names.ORDERS_KEY) in trouble
