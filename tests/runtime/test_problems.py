from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.problems import Problem, identified, read_json, request_id


async def hello(request: web.Request) -> web.Response:
    return web.json_response({"context": get_contextvars(), "id": request_id(request)})


async def body(request: web.Request) -> web.Response:
    return web.json_response({"body": await read_json(request, limit=100, timeout_s=30.0)})


async def hasty_body(request: web.Request) -> web.Response:
    return web.json_response({"body": await read_json(request, limit=100, timeout_s=0.1)})


async def crash(_request: web.Request) -> web.Response:
    raise KeyError("hunter2")


async def lost(_request: web.Request) -> web.Response:
    raise ConnectionResetError("somebody else's connection")


async def refuse(_request: web.Request) -> web.Response:
    raise Problem(
        503,
        "No live token",
        "Wait for the refresh.",
        type="https://example.org/no-live-token",
        extra={"errcode": 45009},
        headers={"Retry-After": "7"},
    )


async def move(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/hello")


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/hello", identified(hello))
    app.router.add_get("/bare", hello)
    app.router.add_post("/body", body)
    app.router.add_post("/hasty", hasty_body)
    app.router.add_get("/crash", crash)
    app.router.add_get("/lost", lost)
    app.router.add_get("/refuse", refuse)
    app.router.add_get("/move", move)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "client")]) as listeners:
        yield f"http://127.0.0.1:{listeners.port('client')}"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def problem(response: aiohttp.ClientResponse) -> dict[str, object]:
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    members: dict[str, object] = await response.json(content_type=None)
    assert members["status"] == response.status
    assert members["request_id"] == response.headers["X-Request-ID"]
    return members


async def test_an_unknown_path_is_a_problem(client: aiohttp.ClientSession, base: str) -> None:
    async with client.get(f"{base}/nothing/<script>") as response:
        assert response.status == 404
        assert (await problem(response))["title"] == "Not Found"
        assert "script" not in await response.text()


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(
    client: aiohttp.ClientSession, base: str
) -> None:
    async with client.delete(f"{base}/hello") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"
        await problem(response)


async def test_a_raised_problem_is_sent_as_it_is(client: aiohttp.ClientSession, base: str) -> None:
    async with client.get(f"{base}/refuse", headers={"X-Request-ID": "theirs-1"}) as response:
        assert response.headers["Retry-After"] == "7"
        assert await problem(response) == {
            "type": "https://example.org/no-live-token",
            "title": "No live token",
            "status": 503,
            "detail": "Wait for the refresh.",
            "errcode": 45009,
            "request_id": "theirs-1",
        }


async def test_a_redirect_is_no_problem(client: aiohttp.ClientSession, base: str) -> None:
    async with client.get(f"{base}/move", allow_redirects=False) as response:
        assert response.status == 302


@pytest.mark.parametrize("path", ["/crash", "/lost"])
async def test_an_unexpected_error_is_logged_in_full_and_told_as_nothing_but_an_id(
    client: aiohttp.ClientSession, base: str, path: str
) -> None:
    with capture_logs() as lines:
        async with client.get(f"{base}{path}") as response:
            assert response.status == 500
            members = await problem(response)
            assert "hunter2" not in await response.text()
    failure = next(line for line in lines if line["event"] == "request_failed")
    assert failure["request_id"] == members["request_id"]
    assert failure["exc_info"] is True


async def test_an_expectation_that_cannot_be_met_is_a_problem_without_its_words(
    client: aiohttp.ClientSession, base: str
) -> None:
    async with client.get(f"{base}/hello", headers={"Expect": "hunter2"}) as response:
        assert response.status == 417
        await problem(response)
        assert "hunter2" not in await response.text()


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param(b'{"a": [1, "\xe4\xb8\xad"]}', {"a": [1, "中"]}, id="json"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b" \n", None, id="white space"),
    ],
)
async def test_a_body_is_read_as_json(
    client: aiohttp.ClientSession, base: str, sent: bytes, found: object
) -> None:
    async with client.post(f"{base}/body", data=sent) as response:
        assert await response.json() == {"body": found}


@pytest.mark.parametrize(
    ("sent", "headers", "status", "words"),
    [
        pytest.param(b"{nonsense", {}, 400, "line 1, column 2", id="not json"),
        pytest.param(b"\xff\xfe", {}, 400, "not JSON", id="not text"),
        pytest.param(b"[" * 99, {}, 400, "not JSON", id="not closed"),
        pytest.param(b"1" * 101, {}, 413, "at most 100 bytes", id="too large"),
        pytest.param(
            zlib.compress(b"1" * 100_000),
            {"Content-Encoding": "deflate"},
            413,
            "at most 100 bytes",
            id="too large once inflated",
        ),
        pytest.param(
            b"no gzip", {"Content-Encoding": "gzip"}, 400, "encoded", id="encoded otherwise"
        ),
    ],
)
async def test_a_bad_body_is_a_problem_that_says_what_is_wrong(
    client: aiohttp.ClientSession,
    base: str,
    sent: bytes,
    headers: dict[str, str],
    status: int,
    words: str,
) -> None:
    async with client.post(f"{base}/body", data=sent, headers=headers) as response:
        assert response.status == status
        assert words in str((await problem(response))["detail"])


async def test_a_body_that_never_comes_is_given_up(base: str) -> None:
    answer = await exchange(base, b"POST /hasty HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 408 ")


async def exchange(base: str, sent: bytes) -> bytes:
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    async with asyncio.timeout(30):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"hunter2\r\n\r\n", id="no request line"),
        pytest.param(b"GET / hunter2/1.1\r\n\r\n", id="another protocol"),
        pytest.param(b"GET / HTTP/1.1\r\nhunter2\r\n\r\n", id="a header without a colon"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"h" * 9000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET /" + b"h" * 9000 + b" HTTP/1.1\r\n\r\n", id="a long path"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", id="many headers"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hunter2\r\n\r\n", id="TLS"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="two lengths",
        ),
    ],
)
async def test_what_is_not_http_gets_a_short_400_without_its_own_words(
    base: str, sent: bytes
) -> None:
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with capture_logs() as lines:
        writer.write(sent)
        async with asyncio.timeout(30):
            answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert re.match(rb"HTTP/1\.[01] 400 ", answer)
    assert b"application/problem+json" in answer
    assert b"hunter2" not in answer
    assert b"Traceback" not in answer
    assert len(answer) < 600
    assert not [line for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize(
    ("theirs", "kept"),
    [
        pytest.param("order-17:4b/a=", True, id="short and harmless"),
        pytest.param("x" * 64, True, id="the longest"),
        pytest.param("x" * 65, False, id="too long"),
        pytest.param("a b", False, id="with a space"),
        pytest.param('{"a":1}', False, id="with quotes"),
        pytest.param("", False, id="empty"),
    ],
)
async def test_a_callers_request_id_is_kept_if_it_is_harmless(
    client: aiohttp.ClientSession, base: str, theirs: str, kept: bool
) -> None:
    async with client.get(f"{base}/hello", headers={"X-Request-ID": theirs}) as response:
        seen = response.headers["X-Request-ID"]
        found = await response.json()
    assert found == {"context": {"request_id": seen}, "id": seen}
    assert (seen == theirs) is kept


async def test_a_hot_path_pays_for_no_log_context(client: aiohttp.ClientSession, base: str) -> None:
    async with client.get(f"{base}/bare") as response:
        assert "X-Request-ID" not in response.headers
        assert (await response.json())["context"] == {}


async def test_no_two_requests_share_an_id(client: aiohttp.ClientSession, base: str) -> None:
    seen = set()
    for _ in range(20):
        async with client.get(f"{base}/hello") as response:
            seen.add(response.headers["X-Request-ID"])
    assert len(seen) == 20
