"""Which inbox an address opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.open import open_inbox
from callback_gateway.inbox.records import Keeping, Verdict
from callback_gateway.inbox.spooled import SpooledInbox
from callback_gateway.inbox.sqlite import SqliteInbox
from tests.callback_gateway.inbox.samples import accept, notify
from tests.fixtures.redis import RedisServer
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import AlreadyRunning


async def opened(url: str, base: Path, durability: str = "disk") -> Inbox:
    return await open_inbox(
        url,
        base=base,
        spool="sqlite:///var/spool.db",
        durability=durability,
        keeping=Keeping(),
        clock=SystemClock(),
        randomness=SystemRandomness(),
    )


async def test_memory_and_files_are_opened_by_their_addresses(tmp_path: Path) -> None:
    for url, sort in (("memory://", MemoryInbox), ("sqlite:///var/inbox.db", SqliteInbox)):
        inbox = await opened(url, tmp_path)
        assert isinstance(inbox, sort)
        assert (await accept(inbox, notify())).verdict is Verdict.NEW
        await inbox.close()
    assert (tmp_path / "var" / "inbox.db").exists()


async def test_a_redis_has_a_spool_beside_it(redis_server: RedisServer, tmp_path: Path) -> None:
    inbox = await opened(redis_server.url, tmp_path, "process")
    assert isinstance(inbox, SpooledInbox)
    assert (await accept(inbox, notify())).verdict is Verdict.NEW
    with pytest.raises(AlreadyRunning):
        await opened(redis_server.url, tmp_path, "process")
    await inbox.close()


async def test_a_redis_that_is_away_is_no_error(tmp_path: Path) -> None:
    inbox = await opened("redis://127.0.0.1:1/0", tmp_path)
    assert (await accept(inbox, notify())).verdict is Verdict.NEW
    assert isinstance(inbox, SpooledInbox)
    assert inbox.away
    await inbox.close()


async def test_a_file_is_no_replica(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="durability: disk"):
        await opened("sqlite:///var/inbox.db", tmp_path, "replicated")


async def test_a_redis_that_can_not_keep_the_level_is_refused(
    own_server: RedisServer, tmp_path: Path
) -> None:
    with own_server.client() as client:
        client.config_set("appendonly", "no")
    with pytest.raises(CannotStart, match="appendonly yes"):
        await opened(own_server.url, tmp_path, "disk")
    inbox = await opened(own_server.url, tmp_path, "process")
    await inbox.close()
