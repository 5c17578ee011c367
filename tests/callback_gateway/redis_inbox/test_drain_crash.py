"""The process dies at each step of draining: nothing is lost, nothing known is delivered twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from callback_gateway.inbox.records import (
    Accepted,
    Arrival,
    Done,
    Keeping,
    ReplyState,
    Settlement,
)
from callback_gateway.inbox.redis import RedisInbox
from callback_gateway.inbox.spool import Spool
from callback_gateway.inbox.spooled import SpooledInbox
from tests.callback_gateway.inbox.samples import AUDIT, SHOP, TRADING, US, notify, question
from tests.callback_gateway.redis_inbox.conftest import connect
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.clock import SystemRandomness


class Died(BaseException):
    """The process is gone: nothing after this happens."""


class Mortal(RedisInbox):
    """Dies before or after a call takes effect, once."""

    deadly = ""

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        self.die("before accept")
        accepted = await super().accept(arrivals, owner=owner)
        self.die("after accept")
        return accepted

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        self.die("before settle")
        await super().settle(settlements)
        self.die("after settle")

    def die(self, step: str) -> None:
        if step == self.deadly:
            raise Died


async def begin(url: str, path: Path, clock: ManualClock) -> tuple[SpooledInbox, Mortal]:
    """Start a process."""
    store = Mortal(await connect(url), randomness=SystemRandomness(), keeping=Keeping())
    spool = await Spool.open(
        path / "spool.db",
        clock=clock,
        randomness=SystemRandomness(),
        keeping=Keeping(),
        synchronous="NORMAL",
    )
    return SpooledInbox(store, spool, clock=clock), store


@pytest.mark.parametrize("step", ["before accept", "after accept", "before settle", "after settle"])
async def test_a_crash_while_draining_loses_and_repeats_nothing(
    step: str, redis_server: RedisServer, tmp_path: Path, clock: ManualClock
) -> None:
    inbox, store = await begin(redis_server.url, tmp_path, clock)
    await inbox.accept([notify("msg_known")], owner=US)
    (known,) = await inbox.lease({AUDIT: 1}, owner=US)
    await inbox.settle([Settlement(known, Done())])
    await asyncio.to_thread(redis_server.kill)
    accepted = await inbox.accept(
        [notify("msg_known"), notify("msg_new"), question("msg_asked")], owner=US
    )
    lease = accepted[2].lease
    assert lease is not None
    await inbox.settle([Settlement(lease, Done(b"{}"))])
    await asyncio.to_thread(redis_server.start)

    store.deadly = step
    with pytest.raises(Died):
        await inbox.drain(10)
    await inbox.close()

    inbox, _ = await begin(redis_server.url, tmp_path, clock)
    assert await inbox.waiting() == 3
    assert await inbox.drain(10)
    found = await inbox.lease({AUDIT: 9, TRADING: 9}, owner=US)
    assert [each.event_id for each in found] == ["msg_new"]
    joined = await inbox.join(SHOP, "msg_asked", owner=US)
    assert (joined.reply_state, joined.reply) == (ReplyState.ANSWERED, b"{}")
    await inbox.close()
