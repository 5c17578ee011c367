"""One POST to targets that really listen."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from callback_gateway.delivery.http import Sender
from callback_gateway.delivery.outcome import ANSWER_LIMIT, Outcome
from callback_gateway.webhook_signature import SigningSecret, verify
from tests.callback_gateway.delivery.receivers import (
    SECRET,
    Talk,
    raw_receiver,
    read_request,
    receiver,
    saying,
    target_at,
)
from tests.wechat.certificates import self_signed
from zhongkong.runtime.clock import SystemClock

EVENT_ID = "msg_0123456789abcdef"
DOCUMENT = b'{"specversion":"1.0","data":{}}'
FULL = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(SystemClock())
    yield sender
    await sender.close()


async def post(
    sender: Sender, url: str, *, wants_reply: bool = False, timeout_s: float = 30.0
) -> Outcome:
    target = target_at(url, timeout_s=timeout_s)
    return await sender.post(target, EVENT_ID, DOCUMENT, wants_reply=wants_reply)


async def test_a_target_gets_the_document_signed(sender: Sender) -> None:
    seen: list[tuple[web.Request, bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request, await request.read()))
        return web.Response(status=204)

    async with receiver(answer) as url:
        outcome = await post(sender, url)
    [(request, body)] = seen
    assert (outcome.name, outcome.delivered) == ("delivered", True)
    assert body == DOCUMENT
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/cloudevents+json"
    assert request.headers["User-Agent"] == "zhongkong"
    assert request.headers["webhook-id"] == EVENT_ID
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert verify(SigningSecret.parse(SECRET), headers, body, now=SystemClock().now())


async def test_a_document_of_more_than_a_mebibyte_arrives_whole(sender: Sender) -> None:
    document = b"[" + b"1," * (1 << 20) + b"1]"
    lengths: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        lengths.append(sum([len(chunk) async for chunk in request.content.iter_any()]))
        return web.Response()

    async with receiver(answer) as url:
        target = target_at(url)
        outcome = await sender.post(target, EVENT_ID, document, wants_reply=False)
    assert outcome.delivered
    assert lengths == [len(document)]


async def test_a_connection_serves_the_next_delivery_too(sender: Sender) -> None:
    ports: set[object] = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        return web.Response(text="thank you")

    async with receiver(answer) as url:
        for _ in range(3):
            assert (await post(sender, url)).delivered
    assert len(ports) == 1


async def test_the_body_of_a_reply_is_read(sender: Sender) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b'{"reply": {}}', content_type="text/html")

    async with receiver(answer) as url:
        outcome = await post(sender, url, wants_reply=True)
    assert outcome.body == b'{"reply": {}}'


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(sender: Sender, status: int) -> None:
    paths: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with receiver(answer) as url:
        outcome = await post(sender, url)
    assert (outcome.name, paths) == (f"http_{status}", ["/hook"])


async def test_what_a_target_asks_for_comes_with_its_refusal(sender: Sender) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "17"})

    async with receiver(answer) as url:
        outcome = await post(sender, url)
    assert (outcome.name, outcome.retry_after_s) == ("http_503", 17.0)


async def test_a_target_that_does_not_answer_is_given_its_time(sender: Sender) -> None:
    asked = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await asyncio.Event().wait()

    async with raw_receiver(talk) as url:
        outcome = await post(sender, url, timeout_s=0.1)
    assert asked.is_set()
    assert (outcome.name, outcome.detail) == ("timeout", "no answer within 0.1 s")


async def test_a_target_that_nobody_serves_is_a_failed_connection(sender: Sender) -> None:
    async with raw_receiver(saying(b"")) as url:
        pass
    outcome = await post(sender, url)
    assert (outcome.name, outcome.detail) == ("connection", "Connection refused")


async def test_a_name_that_is_none_is_a_failed_connection(sender: Sender) -> None:
    outcome = await post(sender, "http://nowhere.invalid/hook")
    assert outcome.name == "connection"


async def test_an_address_that_cannot_be_used_is_an_outcome_too(sender: Sender) -> None:
    assert (await post(sender, "http://:99999/hook")).name == "unsendable"


async def test_an_id_that_could_end_a_header_is_never_sent(sender: Sender) -> None:
    target = target_at("http://127.0.0.1:9/hook")
    outcome = await sender.post(target, "a\r\nX-Admin: 1", DOCUMENT, wants_reply=False)
    assert outcome.name == "unsendable"


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    sender: Sender, tmp_path: Path
) -> None:
    tls, _ = self_signed(tmp_path)
    async with raw_receiver(saying(FULL % 0), scheme="https", tls=tls) as url:
        outcome = await post(sender, url)
    assert (outcome.name, outcome.detail) == ("tls", "its certificate is not accepted")


async def test_a_certificate_that_is_vouched_for_is_accepted(tmp_path: Path) -> None:
    tls, trusting = self_signed(tmp_path)
    sender = Sender(SystemClock(), tls=trusting)
    async with raw_receiver(saying(FULL % 0), scheme="https", tls=tls) as url:
        outcome = await post(sender, url)
    await sender.close()
    assert outcome.delivered


async def test_a_target_that_speaks_no_tls_is_told_so(sender: Sender) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_receiver(talk, scheme="https") as url:
        assert (await post(sender, url)).name == "tls"


async def _pour(writer: asyncio.StreamWriter, head: bytes, piece: bytes) -> None:
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()


def pouring(head: bytes, piece: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await _pour(writer, head, piece)

    return talk


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b"\0" * 10_000_000)


@pytest.mark.parametrize(
    ("talk", "copy", "reply"),
    [
        pytest.param(
            pouring(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
            "delivered",
            "(longer than 65536 bytes)",
            id="a body without end",
        ),
        pytest.param(
            saying(FULL % (1 << 40)), "delivered", "connection", id="a body that breaks off"
        ),
        pytest.param(
            saying(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
            "delivered",
            "(packed, which nobody asked for)",
            id="a bomb",
        ),
        pytest.param(
            saying(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
            "delivered",
            "(packed, which nobody asked for)",
            id="a parcel that is none",
        ),
        pytest.param(
            saying(CHUNKED + b"zz\r\nno chunk\r\n"), "garbage", "garbage", id="broken chunks"
        ),
        pytest.param(saying(b"\x00\x01SSH-2.0 hello\r\n\r\n"), "garbage", "garbage", id="no HTTP"),
        pytest.param(saying(b""), "connection", "connection", id="no word"),
        pytest.param(
            pouring(OK, b"X-More: " + b"y" * 1000 + b"\r\n"),
            "garbage",
            "garbage",
            id="headers without end",
        ),
        pytest.param(
            saying(OK + b"X-Long: " + b"y" * 100_000 + b"\r\n\r\n"),
            "garbage",
            "garbage",
            id="a header of great length",
        ),
        pytest.param(
            saying(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
            ),
            "http_101",
            "http_101",
            id="another protocol",
        ),
        pytest.param(
            saying(OK + b"Content-Length: 2\r\nSet-Cookie: a=b\r\nContent-Type: ,;\r\n\r\n{}"),
            "delivered",
            "delivered",
            id="a content type that is none",
        ),
    ],
)
async def test_no_answer_can_hurt(sender: Sender, talk: Talk, copy: str, reply: str) -> None:
    async with raw_receiver(talk) as url:
        as_copy = await post(sender, url)
        as_reply = await post(sender, url, wants_reply=True)
    assert as_copy.name == copy
    assert (as_reply.flaw or as_reply.name) == reply
    assert len(as_reply.body) <= ANSWER_LIMIT


async def test_a_slow_body_of_a_reply_is_given_the_time_of_the_attempt(sender: Sender) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(FULL % 100 + b"{")
        await asyncio.Event().wait()

    async with raw_receiver(talk) as url:
        outcome = await post(sender, url, wants_reply=True, timeout_s=0.1)
    assert outcome.name == "timeout"


async def test_a_copy_is_delivered_when_the_head_says_so(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callback_gateway.delivery.http._EMPTYING_S", 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(FULL % 100 + b"{")
        await asyncio.Event().wait()

    async with raw_receiver(talk) as url:
        outcome = await post(sender, url, timeout_s=0.5)
    assert outcome.delivered


async def test_a_connection_that_went_stale_costs_no_attempt(sender: Sender) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The first connection ends without a word when the second request is on it."""
        nonlocal connections
        connections += 1
        first = connections == 1
        await read_request(reader)
        writer.write(FULL % 0)
        if first:
            await read_request(reader)

    async with raw_receiver(talk) as url:
        assert (await post(sender, url)).delivered
        assert (await post(sender, url)).delivered
    assert connections == 2


async def test_a_connection_that_was_closed_behind_our_back_costs_no_attempt(
    sender: Sender,
) -> None:
    async with raw_receiver(saying(FULL % 0)) as url:
        for _ in range(3):
            assert (await post(sender, url)).delivered


async def test_a_new_connection_that_ends_without_a_word_is_a_failed_attempt(
    sender: Sender,
) -> None:
    requests = 0

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1

    async with raw_receiver(talk) as url:
        assert (await post(sender, url)).name == "connection"
    assert requests == 1
