"""Failures before the first byte: the server saw nothing, and the call may be repeated."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.wechat.calls import OK, Resolver, call_token
from tests.wechat.certificates import self_signed
from tests.wechat.servers import (
    refused_origin,
    replies,
    serve,
    transport,
)
from zhongkong.wechat.errors import (
    NotSent,
    NotSentReason,
)
from zhongkong.wechat.transport import Bounds

HASTY = Bounds(connect_timeout_s=0.1)


async def test_a_refused_connection_was_not_sent() -> None:
    with refused_origin() as origin:
        async with transport(origin) as wechat:
            error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.CONNECTION_REFUSED
    assert origin in str(error)


async def test_a_name_that_does_not_resolve_was_not_sent() -> None:
    async with transport("http://wechat.invalid", resolver=Resolver(hangs=False)) as wechat:
        error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.DNS


async def test_a_name_server_that_hangs_means_not_sent_within_the_connect_timeout() -> None:
    async with transport(
        "http://wechat.invalid", resolver=Resolver(hangs=True), bounds=HASTY
    ) as wechat:
        error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.CONNECT_TIMEOUT


async def test_a_connection_that_is_never_accepted_was_not_sent() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        async with transport(f"http://127.0.0.1:{full.getsockname()[1]}", bounds=HASTY) as wechat:
            error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.CONNECT_TIMEOUT


async def test_a_certificate_that_nobody_signed_means_not_sent(tmp_path: Path) -> None:
    server_tls, _ = self_signed(tmp_path)
    async with serve(replies(OK), tls=server_tls) as server, transport(server.origin) as wechat:
        error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.TLS
    assert "certificate" in str(error)
    assert server.requests == []


async def test_a_certificate_that_is_trusted_lets_the_call_through(tmp_path: Path) -> None:
    server_tls, client_tls = self_signed(tmp_path)
    async with (
        serve(replies(OK), tls=server_tls) as server,
        transport(server.origin, tls=client_tls) as wechat,
    ):
        assert (await wechat.call("GET", "/x", deadline_s=5)).errcode == 0


async def test_a_server_that_does_not_speak_tls_was_not_sent_anything() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with transport(f"https://127.0.0.1:{port}") as wechat:
            error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason in {NotSentReason.TLS, NotSentReason.CONNECT_FAILED}


async def test_a_tls_handshake_that_hangs_means_not_sent() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with transport(
            f"https://127.0.0.1:{silent.getsockname()[1]}", bounds=HASTY
        ) as wechat:
            error = await call_token(wechat)

    assert isinstance(error, NotSent)
    assert error.reason is NotSentReason.CONNECT_TIMEOUT
