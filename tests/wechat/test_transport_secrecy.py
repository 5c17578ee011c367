"""No secret or token in errors, their causes, tracebacks, reprs or log lines."""

from __future__ import annotations

import logging
import traceback

import pytest

from tests.wechat.servers import (
    Reply,
    http,
    never_replies,
    refused_origin,
    replies,
    serve,
    transport,
)
from zhongkong.wechat.errors import TransportError
from zhongkong.wechat.exchange import Request, Response

SECRET = "5f0c8a4be1d24c0f9b7aa3de1c6f2b10"
PARAMS = {"grant_type": "client_credential", "appid": "wx0", "secret": SECRET}


async def failure_of(origin: str) -> TransportError:
    async with transport(origin) as wechat:
        with pytest.raises(TransportError) as raised:
            await wechat.call("GET", "/cgi-bin/token", params=PARAMS, deadline_s=0.5)
    return raised.value


def everything_about(error: BaseException) -> str:
    """The error as any log or error tracker might show it, suppressed context included."""
    parts: list[str] = []
    link: BaseException | None = error
    while link is not None:
        parts += [str(link), repr(link), repr(vars(link)), *traceback.format_exception(link)]
        link = link.__cause__ or link.__context__
    return "\n".join(parts)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(never_replies, id="no answer"),
        pytest.param(replies(b"", close=True), id="a closed connection"),
        pytest.param(replies(b"rubbish\r\n\r\n", close=True), id="garbage"),
        pytest.param(replies(http(b"{", length=9), close=True), id="a body cut short"),
        pytest.param(replies(http(f"<p>{SECRET}".encode(), status="500 No")), id="an echo"),
    ],
)
async def test_a_lost_call_does_not_tell_its_secret(
    reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(reply) as server:
        error = await failure_of(server.origin)

    assert SECRET in server.requests[0].target
    assert SECRET not in everything_about(error) + caplog.text


async def test_a_call_that_was_not_sent_does_not_tell_its_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with refused_origin() as origin:
        error = await failure_of(origin)

    assert SECRET not in everything_about(error) + caplog.text


def test_neither_requests_nor_responses_show_what_they_carry() -> None:
    request = Request("POST", "/cgi-bin/stable_token", PARAMS, {"secret": SECRET})
    response = Response(200, SECRET.encode())

    assert SECRET not in f"{request!r} {response!r}"
