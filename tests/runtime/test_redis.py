from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import ResponseError

from tests.fixtures.redis import RedisServer
from tests.fixtures.sentinel import RedisSentinel
from zhongkong.runtime import redis as subject
from zhongkong.runtime.redis import RedisConnection, Script, ScriptFailed
from zhongkong.runtime.redis_links import refuse_old
from zhongkong.runtime.redis_places import BehindSentinels
from zhongkong.runtime.storage import (
    RedisTarget,
    StoreUnavailable,
    StoreUnsupported,
    StoreUnusable,
    parse_store_url,
)

COUNT = Script("count", "return redis.call('INCRBY', KEYS[1], ARGV[1])")
ECHO = Script("echo", "return {ARGV[1], ARGV[2], tonumber(ARGV[3]), false}")


def target(url: str) -> RedisTarget:
    found = parse_store_url(url, Path("/"))
    assert isinstance(found, RedisTarget)
    return found


async def until_it_answers(connection: RedisConnection, key: str = "k") -> int:
    """Call until it works; a bounded number of times, each of which takes its time."""
    for _ in range(300):
        try:
            answer: int = await connection.run(COUNT, [key], [1])
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return answer
    raise AssertionError("Redis did not come back")


@pytest.fixture
async def connection(redis_server: RedisServer) -> AsyncIterator[RedisConnection]:
    opened = await RedisConnection.open(target(redis_server.url))
    yield opened
    await opened.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


async def test_a_script_gets_its_arguments_and_answers_in_plain_values(
    connection: RedisConnection,
) -> None:
    answer = await connection.run(ECHO, [], [b"\x00\xff", "中控", 7])
    assert answer == [b"\x00\xff", "中控".encode(), 7, None]


async def test_a_float_arrives_with_all_its_digits(connection: RedisConnection) -> None:
    answer = await connection.run(ECHO, [], [1732249812.123456, "", 0])
    assert float(answer[0]) == 1732249812.123456


async def test_a_script_the_server_forgot_is_sent_again(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    assert await connection.run(COUNT, ["k"], [1]) == 1
    redis_server.flush()
    assert await connection.run(COUNT, ["k"], [1]) == 1
    assert await connection.run(COUNT, ["k"], [1]) == 2


async def test_a_scripts_own_error_is_not_an_outage_and_hides_the_arguments(
    connection: RedisConnection,
) -> None:
    wrong = Script("wrong", "return redis.call('INCRBY', KEYS[1], ARGV[1])")
    with pytest.raises(ScriptFailed, match="script wrong"):
        await connection.run(wrong, ["k"], ["no number"])
    unknown = Script("unknown", "return redis.call('NOSUCH', ARGV[1])")
    with pytest.raises(ScriptFailed) as failure:
        await connection.run(unknown, [], ["hunter2"])
    assert "hunter2" not in str(failure.value)
    assert await connection.run(COUNT, ["k"], [1]) == 1


async def test_more_callers_than_connections_wait_for_their_turn(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    await asyncio.gather(*(connection.run(COUNT, ["k"], [1]) for _ in range(500)))
    assert await connection.run(COUNT, ["k"], [0]) == 500
    with redis_server.client() as client:
        assert len(client.client_list()) <= subject.MAX_CONNECTIONS + 1


async def test_a_cancelled_call_costs_its_connection_and_mixes_no_answers(
    connection: RedisConnection,
) -> None:
    for _ in range(50):
        task = asyncio.ensure_future(connection.run(COUNT, ["cancelled"], [1]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert await connection.run(ECHO, [], ["a", "b", 1]) == [b"a", b"b", 1, None]


async def test_it_opens_while_the_server_is_away_and_finds_it_later(
    redis_server: RedisServer,
) -> None:
    redis_server.kill()
    connection = await RedisConnection.open(target(redis_server.url))
    with pytest.raises(StoreUnavailable, match="can't be reached") as outage:
        await connection.run(COUNT, ["k"], [1])
    assert redis_server.url in str(outage.value)
    redis_server.start()
    assert await connection.run(COUNT, ["k"], [1]) == 1
    await connection.close()


async def test_a_restart_costs_idle_connections_no_call(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    await asyncio.gather(*(connection.run(COUNT, ["k"], [1]) for _ in range(10)))
    await asyncio.to_thread(redis_server.stop)
    await asyncio.to_thread(redis_server.start)
    assert await connection.run(COUNT, ["k"], [1]) == 11


async def test_it_recovers_from_kills_under_load(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    stop = asyncio.Event()
    outages = 0

    async def caller(number: int) -> int:
        nonlocal outages
        while not stop.is_set():
            try:
                await connection.run(COUNT, [f"k{number}"], [1])
            except StoreUnavailable:
                outages += 1
                await asyncio.sleep(0.01)
        return await until_it_answers(connection, f"k{number}")

    callers = [asyncio.ensure_future(caller(number)) for number in range(8)]
    for _ in range(3):
        await asyncio.to_thread(redis_server.kill)
        await asyncio.to_thread(redis_server.start)
        await until_it_answers(connection)
    stop.set()
    assert all(await asyncio.gather(*callers))
    assert outages


async def test_a_paused_server_is_given_up_in_time_and_used_again(own_server: RedisServer) -> None:
    connection = await RedisConnection.open(target(own_server.url), op_timeout_s=0.2)
    os.kill(own_server.child.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match="no answer in time"):
            await connection.run(COUNT, ["k"], [1])
    finally:
        os.kill(own_server.child.pid, signal.SIGCONT)
    assert await until_it_answers(connection) >= 1
    await connection.close()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        pytest.param("maxmemory", "1", "memory is full", id="out of memory"),
        pytest.param("min-replicas-to-write", "1", "want of replicas", id="too few replicas"),
        pytest.param("requirepass", "hunter2", "asks for a password", id="a password was set"),
    ],
)
async def test_a_server_that_refuses_for_its_state_is_unavailable_until_it_changes(
    own_server: RedisServer, setting: str, value: str, words: str
) -> None:
    connection = await RedisConnection.open(target(own_server.url))
    with own_server.client() as client:
        before = client.config_get(setting)[setting]
        client.config_set(setting, value)
        client.client_kill_filter(_type="normal", skipme=True)
        await asyncio.to_thread(client.ping)  # the loop sees the closed sockets meanwhile
        with pytest.raises(StoreUnavailable, match=words):
            await connection.run(COUNT, ["k"], [1])
        client.config_set(setting, before)
    assert await connection.run(COUNT, ["k"], [1]) == 1
    await connection.close()


async def test_a_replica_is_unavailable_and_its_promotion_is_noticed(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    with redis_server.client() as client:
        client.config_set("replica-serve-stale-data", "yes")
        client.replicaof("127.0.0.1", "1")
        with pytest.raises(StoreUnavailable, match="replica"):
            await connection.run(COUNT, ["k"], [1])
        client.replicaof("NO", "ONE")
    assert await connection.run(COUNT, ["k"], [1]) == 1


def until_busy(client: redis.Redis) -> None:
    pause = threading.Event()
    for _ in range(1000):
        try:
            client.ping()
        except ResponseError:
            return
        pause.wait(0.01)
    raise AssertionError("the script did not hold the server up")


async def test_a_busy_script_is_unavailable_until_it_is_killed(own_server: RedisServer) -> None:
    connection = await RedisConnection.open(target(own_server.url), op_timeout_s=5.0)
    with own_server.client() as client:
        client.config_set("busy-reply-threshold", "1")
        endless = asyncio.ensure_future(connection.run(Script("e", "while true do end"), [], []))
        await asyncio.to_thread(until_busy, client)
        with pytest.raises(StoreUnavailable, match="another script"):
            await connection.run(COUNT, ["k"], [1])
        client.script_kill()
        with pytest.raises((ScriptFailed, StoreUnavailable)):
            await endless
    assert await until_it_answers(connection) >= 1
    await connection.close()


async def test_a_wrong_password_is_told_without_showing_it(own_server: RedisServer) -> None:
    with own_server.client() as client:
        client.config_set("requirepass", "right")
        url = own_server.url.replace("redis://", "redis://:hunter2@")
        connection = await RedisConnection.open(target(url))
        with pytest.raises(StoreUnavailable, match="password in `store`") as refusal:
            await connection.run(COUNT, ["k"], [1])
        assert "hunter2" not in str(refusal.value)
        await connection.close()
        right = await RedisConnection.open(target(url.replace("hunter2", "right")))
        assert await right.run(COUNT, ["k"], [1]) == 1
        await right.close()


async def test_rights_that_are_missing_are_named(own_server: RedisServer) -> None:
    with own_server.client() as client:
        client.acl_setuser("weak", enabled=True, passwords=["+p"], keys=["*"], commands=["+ping"])
    connection = await RedisConnection.open(
        target(own_server.url.replace("redis://", "redis://weak:p@"))
    )
    with pytest.raises(StoreUnavailable, match="EVALSHA"):
        await connection.run(COUNT, ["k"], [1])
    await connection.close()


async def test_a_database_that_is_not_there_is_named(own_server: RedisServer) -> None:
    connection = await RedisConnection.open(target(own_server.url.replace("/0", "/99")))
    with pytest.raises(StoreUnavailable, match="no database of that number"):
        await connection.run(COUNT, ["k"], [1])
    await connection.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://no-such-host.invalid/0"])
async def test_a_place_without_a_server_is_named(url: str) -> None:
    connection = await RedisConnection.open(target(url))
    with pytest.raises(StoreUnavailable, match="can't be reached"):
        await connection.run(COUNT, ["k"], [1])
    await connection.close()


async def test_a_server_named_as_a_sentinel_that_is_none_is_unavailable(
    redis_server: RedisServer,
) -> None:
    address = f"redis+sentinel://127.0.0.1:{redis_server.port}/main/0"
    connection = await RedisConnection.open(target(address))
    with pytest.raises(StoreUnavailable):
        await connection.run(COUNT, ["k"], [1])
    await connection.close()


async def test_something_that_is_not_redis_is_unavailable() -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = await RedisConnection.open(target(f"redis://127.0.0.1:{port}/0"))
    with pytest.raises(StoreUnavailable):
        await connection.run(COUNT, ["k"], [1])
    await connection.close()
    server.close()
    await server.wait_closed()


def test_a_server_before_6_2_is_refused() -> None:
    place = target("redis://h/0")
    with pytest.raises(StoreUnsupported, match=r"version 6\.0\.16; 6\.2"):
        refuse_old("6.0.16", place)
    refuse_old("6.2.0", place)
    refuse_old("10.0", place)


async def test_missing_tls_files_are_refused_by_name() -> None:
    with pytest.raises(StoreUnusable, match=r"/nowhere/ca\.pem"):
        await RedisConnection.open(target("rediss://h/0?ssl_ca_certs=/nowhere/ca.pem"))


async def test_a_closed_connection_is_unavailable(redis_server: RedisServer) -> None:
    connection = await RedisConnection.open(target(redis_server.url))
    await connection.close()
    await connection.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await connection.run(COUNT, ["k"], [1])


async def test_a_failover_by_sentinel_is_followed_under_load(
    redis_sentinel: RedisSentinel,
) -> None:
    connection = await RedisConnection.open(target(redis_sentinel.url))
    assert await connection.run(COUNT, ["k"], [1]) == 1
    stop = asyncio.Event()

    async def caller() -> None:
        while not stop.is_set():
            await until_it_answers(connection, "load")

    callers = [asyncio.ensure_future(caller()) for _ in range(4)]
    await asyncio.to_thread(redis_sentinel.kill_master)
    before = await until_it_answers(connection)
    stop.set()
    await asyncio.gather(*callers)
    with redis_sentinel.master.client() as client:
        found = client.get("k")
        assert isinstance(found, bytes)
        assert int(found) == before
    await connection.close()


async def test_a_demoted_master_that_lives_on_is_left(
    redis_sentinel: RedisSentinel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BehindSentinels, "ask_again_s", 0.1)
    connection = await RedisConnection.open(target(redis_sentinel.url))
    await connection.run(COUNT, ["k"], [1])
    await asyncio.to_thread(redis_sentinel.failover)
    await asyncio.sleep(BehindSentinels.ask_again_s)
    await until_it_answers(connection, "after")
    with redis_sentinel.master.client() as client:
        found = client.get("after")
    await connection.close()
    assert found == b"1"


async def test_one_silent_sentinel_does_not_use_up_the_time(redis_sentinel: RedisSentinel) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = redis_sentinel.url.replace("://", f"://127.0.0.1:{port},")
    connection = await RedisConnection.open(target(url), op_timeout_s=1.0)
    assert await connection.run(COUNT, ["k"], [1]) == 1
    await connection.close()
    server.close()
    await server.wait_closed()


def cluster_url(server: RedisServer) -> str:
    return f"redis+cluster://{server.host}:{server.port}"


async def test_a_cluster_runs_scripts(redis_cluster: RedisServer) -> None:
    connection = await RedisConnection.open(target(cluster_url(redis_cluster)))
    assert await connection.run(COUNT, ["{a}k"], [1]) == 1
    both = Script("both", "return redis.call('MSET', KEYS[1], '1', KEYS[2], '2')")
    assert await connection.run(both, ["{a}x", "{a}y"], []) == b"OK"
    await asyncio.gather(*(connection.run(COUNT, ["{b}k"], [1]) for _ in range(200)))
    assert await connection.run(COUNT, ["{b}k"], [1]) == 201
    await connection.close()


@pytest.mark.slow
async def test_a_cluster_that_was_away_is_found_again_and_by_who_came_meanwhile(
    redis_cluster: RedisServer,
) -> None:
    connection = await RedisConnection.open(target(cluster_url(redis_cluster)))
    assert await connection.run(COUNT, ["{a}k"], [1]) == 1
    await asyncio.to_thread(redis_cluster.kill)
    with pytest.raises(StoreUnavailable):
        await connection.run(COUNT, ["{a}k"], [1])
    newcomer = await RedisConnection.open(target(cluster_url(redis_cluster)))
    await asyncio.to_thread(redis_cluster.start)
    assert await until_it_answers(newcomer, "{b}k") == 1
    assert await until_it_answers(connection, "{a}k") == 2
    await newcomer.close()
    await connection.close()


async def test_a_cluster_addressed_as_a_single_server_is_told_apart(
    redis_cluster: RedisServer,
) -> None:
    with redis_cluster.client() as client:
        client.execute_command("CLUSTER DELSLOTSRANGE", 0, 16383)
    connection = await RedisConnection.open(target(redis_cluster.url))
    with pytest.raises(StoreUnavailable, match="cluster is down"):
        await connection.run(COUNT, ["k"], [1])
    await connection.close()


def test_it_works_the_same_under_uvloop(redis_server: RedisServer) -> None:
    import uvloop

    async def main() -> int:
        connection = await RedisConnection.open(target(redis_server.url))
        await asyncio.gather(*(connection.run(COUNT, ["k"], [1]) for _ in range(50)))
        await asyncio.to_thread(redis_server.kill)
        with pytest.raises(StoreUnavailable):
            await connection.run(COUNT, ["k"], [1])
        await asyncio.to_thread(redis_server.start)
        found = await until_it_answers(connection)
        await connection.close()
        return found

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == 51
