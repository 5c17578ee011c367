"""The users of the overlay ha's Redis: each gets at its own, and a restart keeps what it wrote."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from tests.deploy.manifests import cluster
from tests.deploy.pod_files import Keys
from tests.deploy.redis_of_ha import client_of, made_keys, redis_of
from tests.fixtures.redis import HOST, RedisServer
from tests.fixtures.tools import require_tool

PREFIXES = {"token-service": "zk:ts:", "callback-gateway": "zk:gw:", "menu-worker": "zk:mw:"}
WRITE_TWO = "redis.call('SET', KEYS[1], 1) redis.call('HSET', KEYS[2], 'a', 2)"
"""A script that writes more than once goes into the append-only file as a transaction."""

ADMINISTERING = (
    *("FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG SET appendonly no", "ACL LIST", "SAVE", "MONITOR"),
    *("SHUTDOWN NOSAVE", "REPLICAOF NO ONE", "CLIENT LIST", "PUBLISH x y"),
)

every_user = pytest.mark.parametrize("user", PREFIXES)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return made_keys(tmp_path_factory.mktemp("operator") / "kubernetes")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[RedisServer]:
    server = redis_of(cluster("ha"), tmp_path_factory.mktemp("ha") / "redis", keys)
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("end", [RedisServer.stop, RedisServer.kill])
def test_what_the_services_wrote_is_there_after_a_restart(
    server: RedisServer, keys: Keys, end: Callable[[RedisServer], None]
) -> None:
    names = {
        user: [f"{prefix}{{0}}:{end.__name__}{n}" for n in "12"]
        for user, prefix in PREFIXES.items()
    }
    for user, written in names.items():
        with client_of(server, keys, user) as client:
            client.eval(WRITE_TWO, 2, *written)

    end(server)
    server.start()

    for user, written in names.items():
        with client_of(server, keys, user) as client:
            assert client.exists(*written) == 2, user
    assert "error to its AOF-loading-client" not in server.child.output


def refused(client: Redis, words: str) -> bool:
    try:
        client.execute_command(*words.split())  # type: ignore[no-untyped-call]
    except (NoPermissionError, AuthenticationError):
        return True
    return False


@every_user
def test_a_service_gets_at_its_own_keys_alone(server: RedisServer, keys: Keys, user: str) -> None:
    with client_of(server, keys, user) as client:
        may = {prefix for prefix in PREFIXES.values() if not refused(client, f"GET {prefix}x")}
    assert may == {PREFIXES[user]}


@every_user
@pytest.mark.parametrize("words", ADMINISTERING)
def test_no_service_administers_the_server(
    server: RedisServer, keys: Keys, user: str, words: str
) -> None:
    with client_of(server, keys, user) as client:
        assert refused(client, words)


@every_user
def test_only_the_gateway_looks_at_the_servers_settings(
    server: RedisServer, keys: Keys, user: str
) -> None:
    with client_of(server, keys, user) as client:
        looks = [refused(client, words) for words in ("CONFIG GET append*", "ROLE")]
        assert looks == [user != "callback-gateway"] * 2
        assert not refused(client, "INFO persistence")


def test_nobody_gets_in_without_a_name(server: RedisServer, keys: Keys) -> None:
    with client_of(server, keys) as client:
        assert refused(client, "PING")
    for user, password in (("default", ""), ("default", "any"), ("token-service", "any")):
        with client_of(server, {f"{user}.password": password}, user) as client:
            assert refused(client, "PING"), user


def test_the_probe_may_ask_whether_redis_lives_and_nothing_else(
    server: RedisServer, keys: Keys
) -> None:
    with client_of(server, keys, "probe") as client:
        assert not refused(client, "PING")
        for words in ("GET zk:ts:x", "INFO", "DBSIZE", "EVAL return 0"):
            assert refused(client, words), words


def test_the_pods_probe_is_ready_when_redis_answers(server: RedisServer, tmp_path: Path) -> None:
    probe = cluster("ha").running("redis").container["readinessProbe"]["exec"]["command"]
    where = f"{require_tool('redis-cli')} -h {HOST} -p"
    ready, away = (
        subprocess.run([*probe[:2], probe[2].replace("redis-cli", f"{where} {port}")], check=False)
        for port in (server.port, 1)
    )
    assert "redis-cli" in shlex.split(probe[2])[1]
    assert (ready.returncode, away.returncode) == (0, 1)
