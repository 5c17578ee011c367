"""A Redis that is emptied, forgets its scripts or goes back in time: all goes on, and is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callback_gateway.inbox.records import Verdict
from callback_gateway.inbox.redis import RedisInbox
from callback_gateway.inbox.redis_shards import shard_of
from tests.callback_gateway.inbox.samples import (
    AUDIT,
    SHOP,
    THEM,
    US,
    accept,
    bury,
    done,
    leased,
    notify,
    question,
)
from tests.callback_gateway.redis_inbox.conftest import OpenInbox
from tests.callback_gateway.redis_inbox.samples import Heard
from tests.fixtures.redis import RedisServer

STREAM = f"zk:gw:{{{shard_of(SHOP)}}}:documents"
EVENT = f"zk:gw:{{{shard_of(SHOP)}}}:event:msg_1"


async def test_an_emptied_store_takes_events_again_without_restart(
    inbox: RedisInbox, redis_server: RedisServer
) -> None:
    await accept(inbox, notify("msg_1"))
    redis_server.flush()
    assert (await accept(inbox, notify("msg_1"))).verdict is Verdict.NEW
    assert (await leased(inbox)).event_id == "msg_1"


async def test_an_emptied_store_is_told_once(
    inbox: RedisInbox, redis_server: RedisServer, heard: Heard
) -> None:
    await accept(inbox, notify("msg_1"))
    redis_server.flush()
    with capture_logs() as logs:
        for n in range(3):
            await accept(inbox, notify(f"msg_{n}"))
            await inbox.depth()
    told = [line for line in logs if line["event"] == "inbox_store_lost"]
    assert [(line["what"], line["accepted_before"]) for line in told] == [
        ("emptied or replaced", 1)
    ]
    assert heard.lost_counts == [0]


async def test_a_loss_that_was_seen_as_an_empty_store_is_told_once(
    inbox: RedisInbox, redis_server: RedisServer, heard: Heard
) -> None:
    await accept(inbox, notify("msg_1"))
    redis_server.flush()
    await inbox.depth()
    await accept(inbox, notify("msg_2"))
    await inbox.depth()
    assert heard.lost_counts == [0]


async def test_a_store_that_was_never_used_is_no_loss(inbox: RedisInbox, heard: Heard) -> None:
    await inbox.depth()
    await accept(inbox, notify())
    await done(inbox, await leased(inbox))
    await inbox.depth()
    assert heard.lost_counts == []


async def test_every_method_survives_an_emptied_store(
    inbox: RedisInbox, redis_server: RedisServer
) -> None:
    await bury(inbox, "msg_0")
    await accept(inbox, notify("msg_1"))
    delivery = await leased(inbox)
    redis_server.flush()
    assert await inbox.renew([delivery]) == [delivery]
    await done(inbox, delivery)
    assert await inbox.lease({AUDIT: 5}, owner=US) == []
    assert await inbox.next_due_in([AUDIT]) is None
    assert await inbox.purge() == 0
    assert (await inbox.depth()).events == 0
    assert await inbox.disabled() == {}


async def test_leases_of_an_emptied_store_take_nothing_from_the_new_one(
    inbox: RedisInbox, redis_server: RedisServer
) -> None:
    old = (await accept(inbox, question("msg_1"))).lease
    assert old is not None
    redis_server.flush()
    new = (await accept(inbox, question("msg_1"))).lease
    assert new is not None
    assert await inbox.renew([old, new]) == [old]


async def test_a_delivery_without_its_event_is_dropped_and_told(
    inbox: RedisInbox, redis_server: RedisServer, heard: Heard
) -> None:
    await accept(inbox, notify("msg_1"))
    with redis_server.client() as client:
        client.delete(STREAM)
    assert await inbox.lease({AUDIT: 1}, owner=US) == []
    assert heard.lost_counts == [1]
    assert await inbox.next_due_in([AUDIT]) is None


async def test_an_event_that_was_lost_is_new_when_it_comes_again(
    inbox: RedisInbox, redis_server: RedisServer
) -> None:
    await accept(inbox, notify("msg_1"))
    with redis_server.client() as client:
        client.delete(STREAM)
    await inbox.lease({AUDIT: 1}, owner=US)
    assert (await accept(inbox, notify("msg_1"))).verdict is Verdict.NEW


async def test_a_delivery_of_a_forgotten_id_is_dropped_and_told(
    inbox: RedisInbox, redis_server: RedisServer, heard: Heard
) -> None:
    await accept(inbox, notify("msg_1"))
    with redis_server.client() as client:
        client.delete(EVENT)
    assert await inbox.lease({AUDIT: 1}, owner=US) == []
    assert heard.lost_counts == [1]


async def test_forgotten_scripts_are_sent_again(
    inbox: RedisInbox, redis_server: RedisServer
) -> None:
    await accept(inbox, notify("msg_1"))
    with redis_server.client() as client:
        client.script_flush()
    assert (await accept(inbox, notify("msg_1"))).tries == 2
    with redis_server.client() as client:
        client.script_flush()
    assert (await leased(inbox)).event_id == "msg_1"


@pytest.mark.slow
async def test_a_store_that_went_back_in_time_is_told(
    tmp_path: Path, opened: OpenInbox, heard: Heard
) -> None:
    server = RedisServer(tmp_path / "redis", appendonly=False)
    server.start()
    try:
        inbox = await opened(server.url)
        await accept(inbox, notify("msg_1"))
        with server.client() as client:
            client.save()
        await accept(inbox, notify("msg_2"))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        with capture_logs() as logs:
            assert (await leased(inbox, owner=THEM)).event_id == "msg_1"
        (told,) = [line for line in logs if line["event"] == "inbox_store_lost"]
        assert (told["what"], told["accepted_before"], told["accepted_now"]) == (
            "went back in time",
            2,
            1,
        )
        assert heard.lost_counts == [0]
        assert (await accept(inbox, notify("msg_2"))).verdict is Verdict.NEW
    finally:
        server.kill()
