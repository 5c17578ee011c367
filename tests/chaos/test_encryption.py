"""Tokens at rest: unreadable without the key, readable through a change of keys."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.patience import eventually, pass_time
from tests.chaos.replica import Replica
from tests.fixtures.redis import RedisServer

OLD, NEW, WRONG = "OLD_KEY", "NEW_KEY", "WRONG_KEY"
REMEDY = "put the key that it was written with back, after the first"
QUIET_S = 1.0


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> str:
    return redis_server.url if request.param == "redis" else "sqlite:///tokens.db"


def encrypted(deployment: Deployment, store: str, *names: str) -> Replica:
    """A replica that knows all keys by name and uses those that are named."""
    environ = {name: deployment.new_key(name) for name in (OLD, NEW, WRONG)}
    replica = deployment.replica("one", store=store, environ=environ)
    use(deployment, replica, store, *names)
    return replica


def use(deployment: Deployment, replica: Replica, store: str, *names: str) -> None:
    keys = [{"env": name} for name in names]
    wechat = {"base_urls": [deployment.wechat.process.url]}
    deployment.configure(replica, {"store": store, "wechat": wechat, "encryption_keys": keys})


def on_disk(replica: Replica) -> bytes:
    """The database and its write-ahead log, byte by byte."""
    files = sorted(replica.config.parent.glob("tokens.db*"))
    assert len(files) >= 2
    return b"".join(file.read_bytes() for file in files)


def in_redis(server: RedisServer) -> bytes:
    """Every value of every key, of whatever type, and all that was ever written to the file."""
    readers: dict[bytes, Callable[[Any, bytes], object]] = {
        b"string": lambda client, key: client.get(key),
        b"hash": lambda client, key: client.hgetall(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1),
        b"stream": lambda client, key: client.xrange(key),
    }
    with server.client() as client:
        keys: list[bytes] = list(client.scan_iter())
        assert keys
        values = [readers[client.type(key)](client, key) for key in keys]
        folder = Path(client.config_get("dir")["dir"])
    appended = b"".join(file.read_bytes() for file in folder.glob("appendonlydir/*"))
    assert appended
    return repr(values).encode() + appended


@pytest.mark.parametrize(
    ("keys", "readable"),
    [
        pytest.param((OLD,), False, id="with a key they are not"),
        pytest.param((), True, id="without one they are"),
    ],
)
async def test_stored_tokens_stand_readable_in_the_bytes_of_the_store(
    deployment: Deployment,
    redis_server: RedisServer,
    store: str,
    keys: tuple[str, ...],
    readable: bool,
) -> None:
    account = await deployment.account("shop")
    replica = encrypted(deployment, store, *keys)
    await replica.start()
    await replica.get("shop", "?wait=20")
    await replica.rotate("shop")

    stored = on_disk(replica) if store.startswith("sqlite") else in_redis(redis_server)

    tokens = await deployment.wechat.issued(account.appid)
    assert len(tokens) == 2
    assert {value.encode() in stored for value in tokens} == {readable}


async def test_a_change_of_keys_loses_no_token(deployment: Deployment, store: str) -> None:
    account = await deployment.account("shop", "classic")
    replica = encrypted(deployment, store, OLD)
    await replica.start()
    first = await replica.get("shop", "?wait=20")

    await restart_with(deployment, replica, store, NEW, OLD)
    assert (await replica.get("shop", "?wait=20")).value == first.value
    second = await replica.rotate("shop")
    await restart_with(deployment, replica, store, NEW)

    assert (await replica.get("shop", "?wait=20")).value == second.value
    assert await deployment.wechat.issued(account.appid) == [first.value, second.value]


@pytest.mark.slow
async def test_with_the_wrong_key_the_service_says_so_and_mints_nothing_in_classic_mode(
    deployment: Deployment, store: str
) -> None:
    account = await deployment.account("shop", "classic")
    replica = encrypted(deployment, store, OLD)
    await replica.start()
    first = await replica.get("shop", "?wait=20")

    await restart_with(deployment, replica, store, WRONG)
    await replica.says(REMEDY)

    async def refused() -> bool:
        answer = await replica.get("shop", "?wait=1")
        assert answer.status == 503
        return REMEDY in answer.document["detail"]

    await asyncio.gather(eventually(refused, "readers are told why"), pass_time(QUIET_S))

    assert replica.log.count(REMEDY) == 1
    assert '"store_lost"' not in replica.log
    slot = await replica.slot("shop")
    assert REMEDY in slot["failure"]["detail"]
    assert REMEDY in (await replica.command("status")).output
    assert await deployment.wechat.issued(account.appid) == [first.value]

    await restart_with(deployment, replica, store, WRONG, OLD)
    assert (await replica.get("shop", "?wait=20")).value == first.value


async def restart_with(deployment: Deployment, replica: Replica, store: str, *names: str) -> None:
    assert await replica.end(signal.SIGTERM) == 0
    use(deployment, replica, store, *names)
    await replica.start()
