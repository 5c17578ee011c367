from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.fixtures.redis import free_port
from zhongkong.runtime.asking import Asker, NotReached, Service, reachable
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings import ConfigError, HostPort

KEY = "admin-key-0123456789abcdefghij"


def asker(folder: Path, port: int, environ: dict[str, str], text: str | None = None) -> Asker:
    path = folder / "example.yaml"
    path.write_text(f"internal_listen: 127.0.0.1:{port}\nother: 1\n" if text is None else text)
    service = Service("example service", "example run", "EXAMPLE", HostPort("127.0.0.1", port))
    return Asker(service, path, environ)


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    async def echo(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") == "Bearer wrong":
            return web.json_response({}, status=401)
        return web.json_response(
            {
                "method": request.method,
                "body": await request.text(),
                "authorization": request.headers.get("Authorization"),
            }
        )

    async def refuse(_request: web.Request) -> web.Response:
        return web.json_response({"detail": "Not today."}, status=409)

    async def other(_request: web.Request) -> web.Response:
        return web.Response(text="[1]")

    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/refuse", refuse)
    app.router.add_get("/other", other)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "internal")]) as listeners:
        yield listeners.port("internal")


async def ask(of: Asker, *arguments: Any) -> dict[str, Any]:
    return await asyncio.to_thread(of.ask, *arguments)


async def test_a_question_carries_its_body_and_the_admin_key(tmp_path: Path) -> None:
    async with listening() as port:
        it = asker(tmp_path, port, {"ZHONGKONG_ADMIN_KEY": KEY})
        assert await ask(it, "POST", "/echo", {"all": True}) == {
            "method": "POST",
            "body": '{"all": true}',
            "authorization": f"Bearer {KEY}",
        }
        assert (await ask(it, "GET", "/echo"))["body"] == ""


async def test_the_service_is_asked_where_it_listens_by_default(tmp_path: Path) -> None:
    async with listening() as port:
        assert (await ask(asker(tmp_path, port, {}, ""), "GET", "/echo"))["authorization"] is None


async def test_a_variable_says_where_it_listens(tmp_path: Path) -> None:
    async with listening() as port:
        environ = {"EXAMPLE__INTERNAL_LISTEN": f"127.0.0.1:{port}"}
        assert (await ask(asker(tmp_path, free_port(), environ), "GET", "/echo"))["method"] == "GET"


@pytest.mark.parametrize(
    ("path", "key", "why"),
    [
        ("/echo", "wrong", "wants the admin key: set ZHONGKONG_ADMIN_KEY or give --key-file"),
        ("/refuse", "", "Not today."),
        ("/other", "", "is no example service"),
    ],
)
async def test_a_no_says_why(tmp_path: Path, path: str, key: str, why: str) -> None:
    async with listening() as port:
        it = asker(tmp_path, port, {"ZHONGKONG_ADMIN_KEY": key})
        with pytest.raises(NotReached, match=why):
            await ask(it, "GET", path)


def test_a_service_that_isn_t_there_says_how_it_is_started(tmp_path: Path) -> None:
    with pytest.raises(NotReached, match=r"no example service answers at .*`example run`"):
        asker(tmp_path, free_port(), {}).ask("GET", "/echo")


def test_a_bad_configuration_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"example\.yaml:1: internal_listen: "):
        asker(tmp_path, 1, {}, "internal_listen: 7\n").ask("GET", "/echo")


@pytest.mark.parametrize("content", [None, "", "\n", "two\nlines", "é"])
def test_a_key_file_without_a_key_is_told_as_such(tmp_path: Path, content: str | None) -> None:
    key_file = tmp_path / "key"
    if content is not None:
        key_file.write_text(content)
    it = asker(tmp_path, free_port(), {})

    with pytest.raises(NotReached, match=r"key file .* (can't be read|holds no key)"):
        Asker(it.service, it.config, {}, key_file).ask("GET", "/echo")


@pytest.mark.parametrize(
    ("host", "called"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7")]
)
def test_what_listens_everywhere_is_called_on_this_machine(host: str, called: str) -> None:
    assert reachable(host) == called
