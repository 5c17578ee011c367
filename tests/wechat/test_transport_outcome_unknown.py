"""Failures after the first byte: the server may have seen the call, and saw it once at most."""

from __future__ import annotations

import asyncio

import pytest

from tests.wechat.calls import OK, call_token
from tests.wechat.servers import (
    Reply,
    Seen,
    http,
    never_replies,
    replies,
    serve,
    transport,
)
from zhongkong.wechat.errors import (
    OutcomeUnknown,
    OutcomeUnknownReason,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LOST = OutcomeUnknownReason.CONNECTION_LOST
UNREADABLE = OutcomeUnknownReason.UNREADABLE
CUT = http(b'{"a":', length=99)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(replies(b"", close=True), LOST, id="closed without an answer"),
        pytest.param(replies(b"", reset=True), LOST, id="reset without an answer"),
        pytest.param(replies(OK[:30], close=True), LOST, id="closed in the headers"),
        pytest.param(replies(CUT, close=True), LOST, id="a body cut short"),
        pytest.param(replies(CUT, reset=True), LOST, id="a reset in the body"),
        pytest.param(replies(CHUNKED + b'5\r\n{"a":\r\n', close=True), LOST, id="too few chunks"),
        pytest.param(replies(CHUNKED + b"zz\r\n{}\r\n", close=True), LOST, id="broken chunks"),
        pytest.param(replies(b"\x00\x01\x02\r\n\r\n", close=True), LOST, id="garbage"),
        pytest.param(replies(b"HTTP/1.1 999999 ?\r\n\r\n"), LOST, id="a bad status line"),
        pytest.param(replies(CONTINUE * 3, close=True), LOST, id="interim answers only"),
        pytest.param(replies(http(b"")), UNREADABLE, id="an empty body"),
        pytest.param(replies(http(b"{")), UNREADABLE, id="truncated JSON"),
        pytest.param(replies(http(b"{}", status="503 Busy")), UNREADABLE, id="status 503"),
    ],
)
async def test_what_breaks_after_the_send_leaves_the_outcome_unknown(
    reply: Reply, reason: OutcomeUnknownReason
) -> None:
    async with serve(reply) as server, transport(server.origin) as wechat:
        error = await call_token(wechat)

    assert isinstance(error, OutcomeUnknown)
    assert error.reason is reason
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [never_replies, replies(http(b"{", length=99))])
async def test_an_answer_that_does_not_end_in_time_leaves_the_outcome_unknown(
    reply: Reply,
) -> None:
    async with serve(reply) as server, transport(server.origin) as wechat:
        error = await call_token(wechat, deadline_s=0.5)

    assert isinstance(error, OutcomeUnknown)
    assert error.reason is OutcomeUnknownReason.DEADLINE
    assert len(server.requests) == 1


async def test_a_server_that_closes_before_reading_leaves_the_outcome_unknown() -> None:
    closed = 0

    async def close_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal closed
        closed += 1
        writer.transport.abort()

    listener = await asyncio.start_server(close_at_once, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with transport(f"http://127.0.0.1:{port}") as wechat:
            error = await call_token(wechat)

    assert isinstance(error, OutcomeUnknown)
    assert closed == 1


async def test_a_reused_connection_that_breaks_is_not_silently_replaced() -> None:
    async def answer_once(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.target == "/first":
            writer.write(OK)
        else:
            writer.close()

    async with serve(answer_once) as server, transport(server.origin) as wechat:
        await wechat.call("GET", "/first", deadline_s=5, reuse=True)
        error = await call_token(wechat, reuse=True)

    assert isinstance(error, OutcomeUnknown)
    assert server.connections == 1
    assert [seen.target.partition("?")[0] for seen in server.requests] == [
        "/first",
        "/cgi-bin/token",
    ]
