"""The loop of production tells sent from not sent as the one of the tests does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from tests.wechat.calls import OK, call_token
from tests.wechat.certificates import self_signed
from tests.wechat.servers import (
    never_replies,
    refused_origin,
    replies,
    serve,
    transport,
)
from zhongkong.wechat.errors import (
    NotSent,
    OutcomeUnknown,
    TransportError,
)


async def scenario_refused() -> TransportError:
    with refused_origin() as origin:
        async with transport(origin) as wechat:
            return await call_token(wechat)


async def scenario_two_addresses_refused() -> TransportError:
    with refused_origin() as origin:
        async with transport(origin.replace("127.0.0.1", "localhost")) as wechat:
            return await call_token(wechat)


async def scenario_reset() -> TransportError:
    async with serve(replies(b"", reset=True)) as server, transport(server.origin) as wechat:
        error = await call_token(wechat)
        assert len(server.requests) == 1
        return error


async def scenario_silent() -> TransportError:
    async with serve(never_replies) as server, transport(server.origin) as wechat:
        return await call_token(wechat, deadline_s=0.5)


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        (scenario_refused, NotSent),
        (scenario_two_addresses_refused, NotSent),
        (scenario_reset, OutcomeUnknown),
        (scenario_silent, OutcomeUnknown),
    ],
)
def test_uvloop_makes_no_difference(
    scenario: Callable[[], Coroutine[object, object, TransportError]],
    kind: type[TransportError],
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert isinstance(runner.run(scenario()), kind)


def test_uvloop_refuses_an_unsigned_certificate_before_sending(tmp_path: Path) -> None:
    async def scenario(server_tls: ssl.SSLContext) -> TransportError:
        async with serve(replies(OK), tls=server_tls) as server, transport(server.origin) as wechat:
            error = await call_token(wechat)
            assert server.requests == []
            return error

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert isinstance(runner.run(scenario(self_signed(tmp_path)[0])), NotSent)
