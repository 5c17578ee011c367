"""What each level of `durability` asks of a Redis, by its facts and at real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callback_gateway.inbox.durability import Durability, Facts, pledge, sqlite_synchronous
from callback_gateway.inbox.promise import Promise, read_facts
from callback_gateway.inbox.records import Keeping, Verdict
from callback_gateway.inbox.redis import RedisInbox
from tests.callback_gateway.inbox.samples import accept, notify
from tests.callback_gateway.redis_inbox.conftest import connect
from tests.callback_gateway.redis_inbox.samples import Heard
from tests.callback_gateway.redis_inbox.waitaof import door_before
from tests.fixtures.redis import RedisServer
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.redis import Synced
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import StoreUnavailable

EVERYSEC = Facts(
    appendonly=True, appendfsync="everysec", waitaof=False, replicas=0, eviction="noeviction"
)
ALWAYS = replace(EVERYSEC, appendfsync="always")
MODERN = replace(EVERYSEC, waitaof=True)
MODERN_PAIR = replace(MODERN, replicas=1)
UNREADABLE = Facts(appendonly=None, appendfsync=None, waitaof=None, replicas=None, eviction=None)


@pytest.mark.parametrize(
    ("level", "facts", "wait"),
    [
        pytest.param("process", EVERYSEC, None, id="process is kept by any server"),
        pytest.param("process", replace(EVERYSEC, appendonly=False), None, id="without a disk too"),
        pytest.param("disk", ALWAYS, None, id="appendfsync always needs no wait"),
        pytest.param("disk", MODERN, (1, 0), id="everysec waits for the server's disk"),
        pytest.param(
            "disk", replace(UNREADABLE, waitaof=True), (1, 0), id="WAITAOF checks what it waits for"
        ),
        pytest.param("replicated", MODERN_PAIR, (1, 1), id="a replica's disk too"),
        pytest.param(
            "replicated",
            replace(MODERN_PAIR, appendfsync="always"),
            (1, 1),
            id="always says nothing of replicas",
        ),
    ],
)
def test_a_level_that_can_be_kept_tells_what_to_wait_for(
    level: str, facts: Facts, wait: tuple[int, int] | None
) -> None:
    found = pledge(Durability(level), facts)
    assert (found.broken, found.doubt) == (None, None)
    waits = None if found.synced is None else (found.synced.local, found.synced.replicas)
    assert waits == wait


@pytest.mark.parametrize(
    ("level", "facts", "remedy"),
    [
        pytest.param("disk", EVERYSEC, "appendfsync always", id="everysec on an old server"),
        pytest.param("disk", replace(EVERYSEC, appendfsync="no"), "Redis 7.2", id="no fsync"),
        pytest.param("disk", replace(ALWAYS, appendonly=False), "appendonly yes", id="no file"),
        pytest.param("disk", replace(MODERN, appendonly=False), "durability: process", id="none"),
        pytest.param("replicated", replace(ALWAYS, replicas=2), "Redis 7.2", id="no WAITAOF"),
        pytest.param(
            "replicated", replace(MODERN_PAIR, appendonly=False), "appendonly yes", id="no files"
        ),
        pytest.param(
            "process", replace(ALWAYS, eviction="allkeys-lru"), "noeviction", id="eviction"
        ),
    ],
)
def test_a_level_that_can_not_be_kept_tells_what_to_set(
    level: str, facts: Facts, remedy: str
) -> None:
    found = pledge(Durability(level), facts)
    assert found.broken is not None
    assert remedy in found.broken


@pytest.mark.parametrize(
    ("level", "facts", "words"),
    [
        pytest.param("disk", UNREADABLE, "can't be checked", id="CONFIG GET is refused"),
        pytest.param("replicated", MODERN, "none is connected", id="the replica is away"),
    ],
)
def test_what_is_not_certain_is_told_and_does_not_end_the_start(
    level: str, facts: Facts, words: str
) -> None:
    found = pledge(Durability(level), facts)
    assert found.broken is None
    assert words in str(found.doubt)


def test_sqlite_keeps_the_levels_of_one_disk() -> None:
    assert sqlite_synchronous(Durability.DISK) == "FULL"
    assert sqlite_synchronous(Durability.PROCESS) == "NORMAL"
    with pytest.raises(CannotStart, match="durability: disk"):
        sqlite_synchronous(Durability.REPLICATED)


@pytest.fixture
def always(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "always", appendfsync="always")
    server.start()
    yield server
    server.kill()


async def test_the_facts_of_a_server_are_read(always: RedisServer) -> None:
    connection = await connect(always.url)
    (facts,) = await read_facts(connection)
    await connection.close()
    assert replace(facts, waitaof=False) == ALWAYS


async def test_a_server_that_keeps_its_settings_to_itself_is_read_as_far_as_it_goes(
    own_server: RedisServer,
) -> None:
    with own_server.client() as client:
        client.acl_setuser(
            "app", enabled=True, passwords=["+p"], keys=["*"], commands=["+@all", "-config"]
        )
    connection = await connect(own_server.url.replace("redis://", "redis://app:p@"))
    (facts,) = await read_facts(connection)
    await connection.close()
    assert (facts.appendonly, facts.appendfsync, facts.eviction) == (True, None, None)


async def test_a_promise_that_can_not_be_kept_ends_the_start(own_server: RedisServer) -> None:
    with own_server.client() as client:
        client.config_set("appendonly", "no")
    connection = await connect(own_server.url)
    with pytest.raises(CannotStart, match="appendonly yes"):
        await Promise(connection, Durability.DISK, None).begin()
    await Promise(connection, Durability.PROCESS, None).begin()
    await connection.close()


async def test_a_server_that_was_away_is_checked_when_it_comes_back(
    own_server: RedisServer, heard: Heard
) -> None:
    await asyncio.to_thread(own_server.kill)
    connection = await connect(own_server.url)
    promise = Promise(connection, Durability.DISK, heard)
    await promise.begin()
    inbox = RedisInbox(
        connection, randomness=SystemRandomness(), keeping=Keeping(), promise=promise
    )
    with pytest.raises(StoreUnavailable):
        await accept(inbox, notify())
    await asyncio.to_thread(own_server.start)
    with own_server.client() as client:
        client.config_set("appendonly", "no")
    with capture_logs() as logs:
        assert (await accept(inbox, notify())).verdict is Verdict.NEW
        await accept(inbox, notify())
    assert [line["event"] for line in logs] == ["durability_not_kept"]
    assert heard.broken == [True]
    await inbox.close()


async def test_an_outage_brings_a_new_look_at_the_server(
    own_server: RedisServer, heard: Heard
) -> None:
    with own_server.client() as client:
        client.config_set("appendfsync", "always")
    connection = await connect(own_server.url)
    promise = Promise(connection, Durability.DISK, heard)
    await promise.begin()
    inbox = RedisInbox(
        connection, randomness=SystemRandomness(), keeping=Keeping(), promise=promise
    )
    await accept(inbox, notify())
    await asyncio.to_thread(own_server.kill)
    with pytest.raises(StoreUnavailable):
        await accept(inbox, notify())
    await asyncio.to_thread(own_server.start)
    with own_server.client() as client:
        client.config_set("appendonly", "no")
    await accept(inbox, notify())
    assert heard.broken == [False, True]
    await inbox.close()


async def test_each_accept_waits_for_the_disk_on_its_own_connection(
    own_server: RedisServer,
) -> None:
    async with door_before(own_server) as door:
        connection = await connect(door.url)
        promise = Promise(connection, Durability.DISK, None)
        inbox = RedisInbox(
            connection, randomness=SystemRandomness(), keeping=Keeping(), promise=promise
        )
        assert (await accept(inbox, notify())).verdict is Verdict.NEW
        # The script by its digest, which the server didn't know, then in full.
        names = [b"EVALSHA", b"WAITAOF", b"EVAL", b"WAITAOF"]
        assert [words[0] for words in door.sent[-4:]] == names
        assert door.waits()[-1] == [b"WAITAOF", b"1", b"0", b"1300"]
        assert (await accept(inbox, notify())).verdict is Verdict.DUPLICATE
        assert [words[0] for words in door.sent[-2:]] == [b"EVALSHA", b"WAITAOF"]
        await inbox.close()


async def test_what_is_not_on_disk_in_time_is_not_accepted(own_server: RedisServer) -> None:
    async with door_before(own_server) as door:
        connection = await connect(door.url)
        promise = Promise(connection, Durability.DISK, None)
        inbox = RedisInbox(
            connection, randomness=SystemRandomness(), keeping=Keeping(), promise=promise
        )
        door.reached = (0, 0)
        with pytest.raises(StoreUnavailable, match="not on the disks"):
            await accept(inbox, notify())
        door.reached = (1, 0)
        assert (await accept(inbox, notify())).tries == 2
        await inbox.close()


async def test_a_replica_that_lags_is_waited_for(own_server: RedisServer) -> None:
    async with door_before(own_server) as door:
        connection = await connect(door.url)
        promise = Promise(connection, Durability.REPLICATED, None)
        inbox = RedisInbox(
            connection, randomness=SystemRandomness(), keeping=Keeping(), promise=promise
        )
        with pytest.raises(StoreUnavailable, match="1 replicas"):
            await accept(inbox, notify())
        door.reached = (1, 1)
        assert (await accept(inbox, notify())).verdict is Verdict.DUPLICATE
        await inbox.close()


async def test_a_server_that_refuses_to_wait_has_not_accepted(own_server: RedisServer) -> None:
    connection = await connect(own_server.url)
    with own_server.client() as client:
        client.config_set("appendonly", "no")  # a server of 7.2 says so; an older one knows no such
    from callback_gateway.inbox.redis_scripts import COUNT
    from zhongkong.runtime.redis import ScriptCall

    call = ScriptCall(COUNT, ["zk:gw:{0}:"], [""])
    with pytest.raises(StoreUnavailable, match="WAITAOF failed"):
        await connection.run_each([call], Synced(1, 0, 0.1))
    await connection.close()
