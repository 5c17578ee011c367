from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.fixtures.redis import free_port
from zhongkong.runtime.asking import Asker, Form, NotReached, Service, reachable
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings import ConfigError, HostPort

KEY = "admin-key-0123456789abcdefghij"


def asker(folder: Path, port: int, environ: dict[str, str], text: str | None = None) -> Asker:
    path = folder / "example.yaml"
    path.write_text(f"internal_listen: 127.0.0.1:{port}\nother: 1\n" if text is None else text)
    service = Service("example service", "example run", "EXAMPLE", HostPort("127.0.0.1", port))
    return Asker(service, path, environ)


@asynccontextmanager
async def listening(said: bytes = b"{}", status: int = 200) -> AsyncIterator[int]:
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

    async def say(_request: web.Request) -> web.Response:
        return web.Response(body=said, status=status)

    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/refuse", refuse)
    app.router.add_route("*", "/said", say)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "internal")]) as listeners:
        yield listeners.port("internal")


async def ask(of: Asker, *arguments: Any) -> dict[str, Any]:
    return (await asyncio.to_thread(of.ask, *arguments)).document


async def test_a_question_carries_its_body_and_the_admin_key(tmp_path: Path) -> None:
    async with listening() as port:
        it = asker(tmp_path, port, {"ZHONGKONG_ADMIN_KEY": KEY})
        assert await ask(it, "POST", "/echo", {"all": True}) == {
            "method": "POST",
            "body": '{"all":true}',
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
        ("/nowhere", "", r"\.yaml\) knows no GET /nowhere: this is no example service, or one of"),
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


NO_OBJECT = "answered {} without a JSON object: this is no example service"


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        (b"[1]", 200, NO_OBJECT),
        (b"", 200, NO_OBJECT),
        (b"<html>", 404, NO_OBJECT),
        (b"\xff{}", 200, NO_OBJECT),
        (b'{"lone": "\\ud800"}', 200, NO_OBJECT),
        (b"[" * 100_000, 200, NO_OBJECT),
        (b"{}", 500, "answered {} without a reason: "),
        (b'{"detail": 5}', 409, "answered {} without a reason: "),
        (b'{"title": "Unknown client", "detail": "No such client."}', 404, "^No such client.$"),
        (b'{"detail": "a\\u001b[2Jb\\nc"}', 409, r"^a \[2Jb c$"),
    ],
)
async def test_what_nobody_can_have_meant_is_one_line_that_says_what_came(
    tmp_path: Path, said: bytes, status: int, why: str
) -> None:
    async with listening(said, status) as port:
        with pytest.raises(NotReached, match=why.format(status)) as refused:
            await ask(asker(tmp_path, port, {}), "GET", "/said")
    assert str(refused.value).isprintable()


class Part(Form):
    name: str


class Wanted(Form):
    done: bool
    parts: list[Part]


WHOLE = b'{"done": true, "parts": [{"name": "a", "more": 1}], "more": null}'


@pytest.mark.parametrize(
    ("said", "flaw"),
    [
        (b'{"parts": []}', "answered without `done`"),
        (b'{"done": "yes", "parts": []}', "gave no usable `done`"),
        (b'{"done": 1, "parts": []}', "gave no usable `done`"),
        (b'{"done": true, "parts": {}}', "gave no usable `parts`"),
        (b'{"done": true, "parts": [{"name": "a"}, {}]}', r"answered without `parts\[1\].name`"),
        (b'{"done": true, "parts": [{"name": null}]}', r"gave no usable `parts\[0\].name`"),
    ],
)
async def test_an_answer_of_another_form_says_what_is_wrong_where_and_what_to_do(
    tmp_path: Path, said: bytes, flaw: str
) -> None:
    async with listening(said) as port:
        it = asker(tmp_path, port, {})
        answer = await asyncio.to_thread(it.ask, "GET", "/said")
        with pytest.raises(
            NotReached, match=rf"^what listens at 127.0.0.1:{port} .* {flaw}: "
        ) as no:
            answer.read(Wanted)
    assert f"(internal_listen in {it.config})" in str(no.value)
    assert str(no.value).endswith("Use the command of its version, or start it anew with this one")


async def test_what_a_form_does_not_name_may_be_anything(tmp_path: Path) -> None:
    async with listening(WHOLE) as port:
        answer = await asyncio.to_thread(asker(tmp_path, port, {}).ask, "GET", "/said")
    assert answer.read(Wanted) == Wanted(done=True, parts=[Part(name="a")])
    assert answer.document["more"] is None
    assert "more" not in repr(answer)


async def test_after_a_change_it_is_not_known_whether_it_was_made(tmp_path: Path) -> None:
    async with listening(b"{}") as port:
        answer = await asyncio.to_thread(asker(tmp_path, port, {}).ask, "POST", "/said")
        with pytest.raises(NotReached, match=r"its status tells whether it did as it was asked$"):
            answer.read(Wanted)
