"""Several scripts in one trip, and questions to the server itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import hiredis
import pytest
from hypothesis import given, strategies as st

from tests.fixtures.redis import RedisServer
from zhongkong.runtime.redis import RedisConnection, Script, ScriptCall, ScriptFailed
from zhongkong.runtime.redis_wire import Word, pack, pack_plainly
from zhongkong.runtime.storage import RedisTarget, StoreUnavailable, parse_store_url

COUNT = Script("count", "return redis.call('INCRBY', KEYS[1], ARGV[1])")
ECHO = Script("echo", "return ARGV[1]")
WRONG = Script("wrong", "return redis.call('INCRBY', KEYS[1], 'x')")

WORDS = st.lists(
    st.one_of(
        st.binary(max_size=50),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
        st.integers(),
        st.floats(allow_nan=False),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
async def connection(redis_server: RedisServer) -> AsyncIterator[RedisConnection]:
    target = parse_store_url(redis_server.url, Path())
    assert isinstance(target, RedisTarget)
    opened = await RedisConnection.open(target)
    yield opened
    await opened.close()


async def test_answers_come_in_the_order_of_the_calls(connection: RedisConnection) -> None:
    answers = await connection.run_each([ScriptCall(ECHO, [], [n]) for n in range(5)])
    assert answers == [b"0", b"1", b"2", b"3", b"4"]
    assert await connection.run_each([]) == []


async def test_scripts_that_the_server_forgot_are_sent_again_and_the_others_are_not(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    await connection.run(COUNT, ["a"], [1])
    redis_server.flush()
    await connection.run(ECHO, [], ["x"])
    calls = [ScriptCall(ECHO, [], ["y"]), ScriptCall(COUNT, ["a"], [1])]
    assert await connection.run_each(calls) == [b"y", 1]
    assert await connection.run_each(calls) == [b"y", 2]


async def test_one_scripts_own_error_is_raised_and_mixes_no_answers(
    connection: RedisConnection,
) -> None:
    calls = [
        ScriptCall(COUNT, ["a"], [1]),
        ScriptCall(WRONG, ["b"], []),
        ScriptCall(ECHO, [], [""]),
    ]
    with pytest.raises(ScriptFailed, match="script wrong"):
        await connection.run_each(calls)
    assert await connection.run_each(calls[:1]) == [2]


async def test_a_server_that_is_away_is_unavailable_for_all(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    await asyncio.to_thread(redis_server.kill)
    with pytest.raises(StoreUnavailable, match="can't be reached"):
        await connection.run_each([ScriptCall(COUNT, ["a"], [1])] * 2)
    with pytest.raises(StoreUnavailable):
        await connection.ask("PING")


async def test_a_refusal_for_the_servers_state_is_unavailable(
    connection: RedisConnection, redis_server: RedisServer
) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", "1")
        try:
            with pytest.raises(StoreUnavailable, match="memory is full"):
                await connection.run_each([ScriptCall(COUNT, ["a"], [1])] * 2)
        finally:
            client.config_set("maxmemory", "0")


async def test_a_server_tells_of_itself_as_far_as_it_wants(connection: RedisConnection) -> None:
    assert await connection.ask("PING") == [b"PONG"]
    assert await connection.ask("NOSUCH") == [None]


@given(words=WORDS)
def test_commands_are_packed_alike_with_and_without_the_extension(words: list[Word]) -> None:
    assert pack(words) == pack_plainly(words)
    reader = hiredis.Reader()
    reader.feed(pack_plainly(words))
    assert len(reader.gets()) == len(words)
