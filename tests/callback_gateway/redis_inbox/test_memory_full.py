"""A Redis whose memory is full stores nothing of an arrival, and lets deliveries end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from callback_gateway.inbox.records import Arrival, Stamp, Verdict
from tests.callback_gateway.inbox.samples import (
    ALL,
    AUDIT,
    US,
    accept,
    bury,
    die,
    done,
    leased,
    letters,
    notify,
    question,
    retry,
    unread,
)
from tests.callback_gateway.redis_inbox.conftest import OpenInbox
from tests.fixtures.redis import RedisServer
from zhongkong.runtime.storage import StoreUnavailable


@contextmanager
def full(server: RedisServer) -> Iterator[None]:
    with server.client() as client:
        client.config_set("maxmemory", "1")
        yield
        client.config_set("maxmemory", "0")


def content(server: RedisServer) -> dict[bytes, bytes]:
    with server.client() as client:
        return {key: client.dump(key) for key in client.keys("*")}


@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param(notify("msg_2"), id="a notification"),
        pytest.param(question("msg_2"), id="a question"),
        pytest.param(unread("bad_2"), id="one that can't be read"),
        pytest.param(Arrival("msg_2", "shop", b"{}"), id="one that nobody wants"),
        pytest.param(replace(notify("msg_2"), stamp=Stamp("p", "b")), id="one in plaintext"),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(
    own_server: RedisServer, opened: OpenInbox, arrival: Arrival
) -> None:
    inbox = await opened(own_server.url)
    await accept(inbox, notify("msg_1"))
    before = content(own_server)
    with full(own_server), pytest.raises(StoreUnavailable, match="memory is full"):
        await accept(inbox, arrival)
    assert content(own_server) == before
    assert (await accept(inbox, arrival)).verdict is Verdict.NEW


async def test_deliveries_go_on_and_free_memory(own_server: RedisServer, opened: OpenInbox) -> None:
    inbox = await opened(own_server.url)
    for event_id in ("msg_1", "msg_2", "msg_3"):
        await accept(inbox, notify(event_id))
    with full(own_server):
        first = await leased(inbox)
        assert await inbox.renew([first]) == []
        await done(inbox, first)
        await retry(inbox, await leased(inbox), after_s=60.0)
        await die(inbox, await leased(inbox))
        assert len(await letters(inbox)) == 1
        assert await inbox.hasten(AUDIT) == 1
        await done(inbox, await leased(inbox))
        assert await inbox.drop(ALL) == 1
    assert (await inbox.depth()).events == 0


async def test_what_can_not_be_redriven_stays_a_dead_letter(
    own_server: RedisServer, opened: OpenInbox
) -> None:
    inbox = await opened(own_server.url)
    letter = await bury(inbox)
    with full(own_server), pytest.raises(StoreUnavailable):
        await inbox.redrive(ALL)
    assert await letters(inbox) == (letter,)
    assert await inbox.lease({AUDIT: 1}, owner=US) == []
    assert await inbox.redrive(ALL) == 1
