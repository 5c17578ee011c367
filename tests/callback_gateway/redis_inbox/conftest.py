"""The inbox in a real Redis, whose clock is the server's own unless a test moves one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from callback_gateway.inbox.records import Keeping
from callback_gateway.inbox.redis import RedisInbox
from tests.callback_gateway.redis_inbox.samples import Heard
from tests.fixtures.redis import RedisServer
from tests.token_service.stores.manual_clock import ManualClock
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.redis import RedisConnection
from zhongkong.runtime.storage import RedisTarget, parse_store_url

OpenInbox = Callable[..., Awaitable[RedisInbox]]


async def connect(url: str) -> RedisConnection:
    target = parse_store_url(url, Path())
    assert isinstance(target, RedisTarget)
    return await RedisConnection.open(target, op_timeout_s=1.0)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def opened(heard: Heard) -> AsyncIterator[OpenInbox]:
    """Opens inboxes at an address, and closes them."""

    async def open_one(
        url: str, *, clock: ManualClock | None = None, keeping: Keeping | None = None
    ) -> RedisInbox:
        inbox = RedisInbox(
            await connect(url),
            randomness=SystemRandomness(),
            keeping=keeping or Keeping(),
            clock=clock,
            observer=heard,
        )
        open_ones.push_async_callback(inbox.close)
        return inbox

    async with AsyncExitStack() as open_ones:
        yield open_one


@pytest.fixture
async def inbox(redis_server: RedisServer, opened: OpenInbox) -> RedisInbox:
    return await opened(redis_server.url)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may configure."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()
