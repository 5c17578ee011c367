"""What a call sends, and what it makes of answers that are whole."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from tests.wechat.servers import http, replies, serve, transport
from zhongkong.wechat.errors import (
    NotSent,
    NotSentReason,
    OutcomeUnknown,
    OutcomeUnknownReason,
    UnreadableAnswer,
)
from zhongkong.wechat.hosts import BaseUrlError
from zhongkong.wechat.transport import Bounds

OK = http(b'{"errcode":0,"errmsg":"ok"}')
SMALL = Bounds(max_answer_bytes=1000)


async def test_a_get_carries_its_parameters_unchanged() -> None:
    token = "33_a+b/c=d%20&e"
    async with serve(replies(OK)) as server, transport(server.origin) as wechat:
        await wechat.call("GET", "/x", params={"access_token": token}, deadline_s=5)

    target = server.requests[0].target
    assert target.startswith("/x?access_token=")
    assert _query_value(target) == token


async def test_a_json_body_is_raw_utf8() -> None:
    async with serve(replies(OK)) as server, transport(server.origin) as wechat:
        await wechat.call("POST", "/x", json={"name": "买入😀", "url": "a&b"}, deadline_s=5)

    assert server.requests[0].body == '{"name":"买入😀","url":"a&b"}'.encode()
    assert str(server.requests[0].header("Content-Type")).startswith("application/json")


async def test_an_errcode_is_returned_and_not_raised() -> None:
    body = http(b'{"errcode":40125,"errmsg":"invalid appsecret"}')
    async with serve(replies(body)) as server, transport(server.origin) as wechat:
        answer = await wechat.call("GET", "/cgi-bin/token", deadline_s=5)

    assert (answer.errcode, answer.endpoint) == (40125, "/cgi-bin/token")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json; encoding=utf-8", "image/png", None]
)
async def test_the_content_type_does_not_matter(content_type: str | None) -> None:
    headers = (f"Content-Type: {content_type}",) if content_type else ()
    body = http(b'{"errcode":0}', headers=headers)
    async with serve(replies(body)) as server, transport(server.origin) as wechat:
        assert (await wechat.call("GET", "/x", deadline_s=5)).errcode == 0


async def test_a_redirect_is_not_followed() -> None:
    async with serve(replies(OK)) as elsewhere:
        moved = http(b"", status="302 Found", headers=(f"Location: {elsewhere.origin}/y",))
        async with serve(replies(moved)) as server, transport(server.origin) as wechat:
            with pytest.raises(UnreadableAnswer, match="302"):
                await wechat.call("GET", "/x", deadline_s=5)

    assert elsewhere.connections == 0


async def test_an_error_page_that_echoes_the_request_does_not_leak_its_secrets() -> None:
    page = http(b"<html>no route for secret 0123456789abcdef</html>", status="502 Bad Gateway")
    async with serve(replies(page)) as server, transport(server.origin) as wechat:
        with pytest.raises(UnreadableAnswer, match="no route") as raised:
            await wechat.call(
                "POST", "/cgi-bin/stable_token", json={"secret": "0123456789abcdef"}, deadline_s=5
            )

    assert "0123456789abcdef" not in str(raised.value)


async def test_cookies_are_not_kept() -> None:
    body = http(b'{"errcode":0}', headers=("Set-Cookie: a=b; Path=/",))
    async with serve(replies(body)) as server, transport(server.origin) as wechat:
        await wechat.call("GET", "/x", deadline_s=5)
        await wechat.call("GET", "/x", deadline_s=5)

    assert server.requests[1].header("Cookie") is None


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with serve(replies(OK)) as server, transport(server.origin) as wechat:
        assert (await wechat.call("GET", "/x", deadline_s=5)).errcode == 0


async def test_a_call_takes_a_fresh_connection_unless_it_says_otherwise() -> None:
    async with serve(replies(OK)) as server, transport(server.origin) as wechat:
        for _ in range(2):
            await wechat.call("GET", "/x", deadline_s=5)
        assert server.connections == 2
        for _ in range(2):
            await wechat.call("GET", "/x", deadline_s=5, reuse=True)

    assert server.connections == 3


CHUNK = b"3e8\r\n" + b" " * 1000 + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        pytest.param(http(b"{" + b" " * 2000 + b"}"), 1000, id="with its length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 2 + b"0\r\n\r\n",
            1000,
            id="in chunks",
        ),
        pytest.param(
            http(gzip.compress(b" " * 9_000_000), headers=("Content-Encoding: gzip",)),
            100_000,
            id="as a compressed bomb",
        ),
    ],
)
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(raw: bytes, limit: int) -> None:
    bounds = Bounds(max_answer_bytes=limit)
    async with serve(replies(raw)) as server, transport(server.origin, bounds=bounds) as wechat:
        with pytest.raises(OutcomeUnknown) as raised:
            await wechat.call("GET", "/x", deadline_s=5)

    assert raised.value.reason is OutcomeUnknownReason.TOO_LARGE


async def test_an_answer_as_large_as_allowed_is_read() -> None:
    raw = http(b"{" + b" " * 998 + b"}")
    async with serve(replies(raw)) as server, transport(server.origin, bounds=SMALL) as wechat:
        assert (await wechat.call("GET", "/x", deadline_s=5)).errcode == 0


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compression_that_nobody_asked_for_is_undone(
    name: str, pack: Callable[[bytes], bytes]
) -> None:
    raw = http(pack(b'{"errcode":0,"errmsg":"ok"}'), headers=(f"Content-Encoding: {name}",))
    async with serve(replies(raw)) as server, transport(server.origin) as wechat:
        assert (await wechat.call("GET", "/x", deadline_s=5)).errmsg == "ok"

    assert server.requests[0].header("Accept-Encoding") == "identity"


async def test_compression_that_cannot_be_read_leaves_the_outcome_unknown() -> None:
    raw = http(b"\x01\x02\x03", headers=("Content-Encoding: br",))
    async with serve(replies(raw)) as server, transport(server.origin) as wechat:
        with pytest.raises(OutcomeUnknown, match="compressed"):
            await wechat.call("GET", "/x", deadline_s=5)


async def test_after_closing_nothing_is_sent() -> None:
    async with serve(replies(OK)) as server, transport(server.origin) as wechat:
        await wechat.close()
        with pytest.raises(NotSent) as raised:
            await wechat.call("GET", "/x", deadline_s=5)

    assert raised.value.reason is NotSentReason.CLOSED
    assert server.connections == 0


async def test_a_base_url_with_a_path_is_refused_at_once() -> None:
    with pytest.raises(BaseUrlError):
        async with transport("https://api.weixin.qq.com/cgi-bin"):
            pass


def _query_value(target: str) -> str:
    return parse_qs(target.partition("?")[2])["access_token"][0]
