"""The inbox on a cluster: every script keeps to one shard's keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callback_gateway.inbox.durability import Durability
from callback_gateway.inbox.promise import Promise, read_facts
from callback_gateway.inbox.records import Accepted, ReplyState, Verdict
from callback_gateway.inbox.redis import RedisInbox
from callback_gateway.inbox.redis_shards import SHARDS
from tests.callback_gateway.inbox.samples import (
    ALL,
    AUDIT,
    SHOP,
    TRADING,
    US,
    accept,
    begun,
    die,
    done,
    letters,
    notify,
    unread,
)
from tests.callback_gateway.redis_inbox.conftest import OpenInbox, connect
from tests.callback_gateway.redis_inbox.samples import ACCOUNTS
from tests.fixtures.redis import RedisServer
from zhongkong.runtime.redis import ScriptCall, Synced
from zhongkong.runtime.storage import StoreUnavailable


@pytest.fixture(scope="module")
def cluster_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One real node that owns every slot."""
    server = RedisServer(tmp_path_factory.mktemp("cluster"), options=("--cluster-enabled", "yes"))
    server.start()
    mark = server.child.mark()
    with server.client() as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    server.child.wait_for_line("Cluster state changed: ok", after=mark)
    yield server
    server.kill()


@pytest.fixture
def cluster(cluster_process: RedisServer) -> RedisServer:
    cluster_process.flush()
    return cluster_process


def url(server: RedisServer) -> str:
    return f"redis+cluster://{server.host}:{server.port}"


async def test_an_event_lives_and_dies_in_a_cluster(
    cluster: RedisServer, opened: OpenInbox
) -> None:
    inbox = await opened(url(cluster))
    batch = [notify(f"msg_{shard}", account=ACCOUNTS[shard]) for shard in range(SHARDS)]
    verdicts = [each.verdict for each in await inbox.accept(batch * 2, owner=US)]
    assert verdicts == [Verdict.NEW] * SHARDS + [Verdict.DUPLICATE] * SHARDS
    found = await inbox.lease({AUDIT: SHARDS}, owner=US)
    assert await inbox.renew(found) == []
    for each in found[1:]:
        await done(inbox, each)
    await die(inbox, found[0])
    await accept(inbox, unread())
    assert len(await letters(inbox)) == 2
    assert await inbox.redrive(ALL) == 1
    assert await inbox.next_due_in([AUDIT]) == 0.0
    assert await inbox.hasten(AUDIT) == 0
    await done(inbox, (await inbox.lease({AUDIT: 1}, owner=US))[0])
    assert await inbox.drop(ALL) == 1
    assert await inbox.purge() == 0
    assert (await inbox.depth()).events == 0


async def test_a_reply_is_joined_in_a_cluster(cluster: RedisServer, opened: OpenInbox) -> None:
    inbox = await opened(url(cluster))
    delivery = await begun(inbox)
    assert (await inbox.join(SHOP, "msg_1", owner=US)).reply_state is ReplyState.RUNNING
    await done(inbox, delivery, b"{}")
    joined = await inbox.join(SHOP, "msg_1", owner=US)
    assert (joined.reply_state, joined.reply) == (ReplyState.ANSWERED, b"{}")
    await inbox.disable(TRADING, "f")
    assert await inbox.disabled() == {TRADING: "f"}
    assert await inbox.enable(TRADING)


async def test_every_master_is_asked_for_its_facts(cluster: RedisServer) -> None:
    connection = await connect(url(cluster))
    (facts,) = await read_facts(connection)
    assert (facts.appendonly, facts.appendfsync, facts.replicas) == (True, "everysec", 0)
    await Promise(connection, Durability.PROCESS, None).begin()
    await connection.close()


async def test_writes_wait_for_the_disk_of_their_node(cluster: RedisServer) -> None:
    from callback_gateway.inbox.redis_scripts import COUNT

    connection = await connect(url(cluster))
    calls = [ScriptCall(COUNT, [f"zk:gw:{{{shard}}}:"], [""]) for shard in range(3)]
    with cluster.client() as client:
        waits = bool(client.execute_command("COMMAND INFO", "WAITAOF")[0])
    if waits:
        assert len(await connection.run_each(calls, Synced(1, 0, 2.0))) == 3
    else:
        with pytest.raises(StoreUnavailable, match="WAITAOF failed"):
            await connection.run_each(calls, Synced(1, 0, 0.1))
    await connection.close()


async def test_a_cluster_that_comes_back_is_used_again(
    cluster: RedisServer, opened: OpenInbox
) -> None:
    inbox = await opened(url(cluster))
    await accept(inbox, notify())
    await asyncio.to_thread(cluster.kill)
    with pytest.raises(StoreUnavailable):
        await accept(inbox, notify())
    await asyncio.to_thread(cluster.start)
    assert (await accepted_again(inbox)).verdict is Verdict.DUPLICATE


async def accepted_again(inbox: RedisInbox) -> Accepted:
    for _ in range(200):
        try:
            return await accept(inbox, notify())
        except StoreUnavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("the cluster did not come back")
