"""What the caller of a cancelled or cut off call can know."""

from __future__ import annotations

import asyncio

import pytest

from tests.wechat.calls import Resolver, call_token
from tests.wechat.servers import (
    never_replies,
    serve,
    transport,
)
from zhongkong.wechat.errors import (
    OutcomeUnknown,
)
from zhongkong.wechat.exchange import SentMark


async def test_a_call_cancelled_while_connecting_provably_did_not_leave() -> None:
    mark, resolver = SentMark(), Resolver(hangs=True)
    async with transport("http://wechat.invalid", resolver=resolver) as wechat:
        call = asyncio.create_task(call_token(wechat, mark=mark))
        await resolver.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert not mark.may_have_left


async def test_a_call_cancelled_while_waiting_for_the_answer_may_have_left() -> None:
    mark = SentMark()
    async with serve(never_replies) as server, transport(server.origin) as wechat:
        call = asyncio.create_task(call_token(wechat, mark=mark))
        await server.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert mark.may_have_left


async def test_a_call_cut_off_by_closing_leaves_the_outcome_unknown() -> None:
    async with serve(never_replies) as server, transport(server.origin) as wechat:
        call = asyncio.create_task(call_token(wechat))
        await server.arrived.wait()
        await wechat.close()

        assert isinstance(await call, OutcomeUnknown)
