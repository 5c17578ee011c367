"""The three inboxes behind one fixture, all on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import Keeping
from callback_gateway.inbox.sqlite import SqliteInbox
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.redis import RedisConnection
from zhongkong.runtime.storage import RedisTarget, parse_store_url

Open = Callable[[Keeping], Awaitable[Inbox]]


async def sqlite_inbox(
    path: Path, clock: ManualClock, keeping: Keeping | None = None, *, exclusive: bool = True
) -> SqliteInbox:
    return await SqliteInbox.open(
        path,
        clock=clock,
        randomness=SystemRandomness(),
        keeping=keeping or Keeping(),
        synchronous="NORMAL",
        exclusive=exclusive,
    )


async def redis_inbox(server: RedisServer, clock: ManualClock, keeping: Keeping) -> Inbox:
    from callback_gateway.inbox.redis import RedisInbox

    target = parse_store_url(server.url, Path())
    assert isinstance(target, RedisTarget)
    connection = await RedisConnection.open(target)
    inbox: Inbox = RedisInbox(
        connection, randomness=SystemRandomness(), keeping=keeping, clock=clock
    )
    return inbox


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def open_inbox(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Open]:
    """Opens an empty inbox of each sort; a test opens one."""

    async def opened(keeping: Keeping) -> Inbox:
        inbox: Inbox
        if request.param == "redis":
            inbox = await redis_inbox(request.getfixturevalue("redis_server"), clock, keeping)
        elif request.param == "sqlite":
            inbox = await sqlite_inbox(tmp_path / "inbox.db", clock, keeping)
        else:
            inbox = MemoryInbox(clock, SystemRandomness(), keeping)
        open_ones.push_async_callback(inbox.close)
        return inbox

    async with AsyncExitStack() as open_ones:
        yield opened


@pytest.fixture
async def inbox(open_inbox: Open) -> Inbox:
    """An empty inbox of each sort with the usual times and bounds."""
    return await open_inbox(Keeping())
