"""From SQLite to Redis while clients call all the time: they notice nothing, WeChat is not asked.

The steps are those of docs/token-service.md, with the real commands.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.callers import CLIENT, Callers, backend, calling, sdk_token
from tests.chaos.deployment import Account, Deployment
from tests.chaos.gateway.front import Backend, front
from tests.chaos.patience import eventually, pass_time
from tests.chaos.replica import Replica
from tests.fixtures.redis import RedisServer
from token_service.internal import COPIES_PATH, FREEZE_PATH
from token_service.keys import digest_of_key
from zhongkong.runtime.clock import SystemRandomness

KEY = "ENCRYPTION_KEY"
QUIET_S = 1.0
SHORT = {"call_deadline": "3s", "lease": "5s", "send_margin": "1500ms", "settle": "1s"}
"""A call whose answer was lost is over sooner than by default."""


class LockedRedis:
    """A Redis with a password."""

    def __init__(self, folder: Path) -> None:
        self.password = SystemRandomness().token(20)
        self.server = RedisServer(folder, options=("--requirepass", self.password))
        self.server.start()

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.server.port}/0"


@pytest.fixture
def locked_redis(tmp_path: Path) -> Iterator[LockedRedis]:
    redis = LockedRedis(tmp_path / "redis")
    yield redis
    redis.server.kill()


class Move:
    """Two deployments of one service: the old one on a file, the new one on Redis."""

    def __init__(self, deployment: Deployment, redis: LockedRedis) -> None:
        self.deployment = deployment
        self.url = redis.url
        self.environ = {KEY: deployment.new_key("the encryption key")}
        deployment.further_secrets["the password of Redis"] = redis.password
        self.accounts: list[Account] = []

    async def old(self) -> Replica:
        """Runs, and has a token for each account."""
        self.accounts = [
            await self.deployment.account("shop"),
            await self.deployment.account("market", "classic"),
        ]
        # Its keys of opaque tokens are made by itself, beside the store.
        settings = {**self.settings(), "opaque_token_keys": []}
        old = self.deployment.replica("old", settings=settings, environ=self.environ)
        await old.start()
        for account in self.accounts:
            assert (await old.get(account.name, "?wait=20")).status == 200
        file = old.config.with_name("tokens.db.opaque-keys")
        self.deployment.further_secrets["the made key"] = file.read_text().strip()
        return old

    def new(self, keys: Path | None = None) -> Replica:
        settings = self.settings()
        if keys is not None:
            settings["opaque_token_keys"] = [{"file": str(keys)}]
        return self.deployment.replica(
            "new", store=self.url, settings=settings, environ=self.environ
        )

    def settings(self) -> dict[str, Any]:
        client = {**CLIENT, "key_sha256": digest_of_key(self.deployment.client_key)}
        keys = [{"env": KEY}]
        return {"clients": [client], "encryption_keys": keys, "rotation": SHORT}

    async def calls_for_tokens(self) -> dict[str, tuple[int, int]]:
        """Calls and tokens that they made, as WeChat's own ledger has them."""
        wechat = self.deployment.wechat
        return {
            account.name: (
                await wechat.token_calls(account.appid),
                len(await wechat.issued(account.appid)),
            )
            for account in self.accounts
        }


@pytest.mark.slow
async def test_a_move_to_redis_under_load_is_seen_by_nobody_and_costs_no_call(
    deployment: Deployment, locked_redis: LockedRedis, tmp_path: Path
) -> None:
    move = Move(deployment, locked_redis)
    old = await move.old()
    before = {account.name: await old.get(account.name) for account in move.accounts}
    opaque = {account.name: await sdk_token(old, account) for account in move.accounts}
    keys = tmp_path / "opaque-key"

    async with front() as balancer:
        balancer.backends.append(backend(old))
        await ready(balancer.backends[0])
        async with calling(balancer, deployment.client_key, opaque) as callers:
            await callers.go_on()
            copied = await old.command("store", "copy", "--to", move.url, "--keys-out", str(keys))
            assert copied.code == 0, copied.output
            await callers.go_on()

            new = move.new(keys)
            await new.start()
            balancer.backends.append(backend(new))
            await ready(balancer.backends[1])
            await callers.go_on()
            del balancer.backends[0]
            await callers.go_on()
            assert await old.end(signal.SIGTERM) == 0
            await callers.go_on()

    judge(callers, {name: answer.version for name, answer in before.items()})
    for account in move.accounts:
        after = await new.get(account.name)
        assert after.value == before[account.name].value
        assert after.document["expires_at"] == before[account.name].document["expires_at"]
    assert await move.calls_for_tokens() == {"shop": (1, 1), "market": (1, 1)}
    # From here on it is a service like any other.
    assert {(await new.rotate(account.name)).status for account in move.accounts} == {200}


@pytest.mark.slow
async def test_the_old_process_mints_nothing_after_the_copy_nor_after_a_restart_by_mistake(
    deployment: Deployment, locked_redis: LockedRedis
) -> None:
    move = Move(deployment, locked_redis)
    old = await move.old()
    copied = await old.command("store", "copy", "--to", move.url)
    assert copied.code == 0, copied.output
    await old.restart(signal.SIGKILL)
    await old.says('"store_frozen"')
    answer = await old.get("market", "?wait=20")
    assert answer.status == 200

    await deployment.wechat.control(
        "POST", "/tokens/kill", {"appid": move.accounts[1].appid, "family": "classic"}
    )
    refused = await old.reject("market", answer.version)
    await pass_time(QUIET_S)

    assert refused.status == 503
    assert "was copied to another one" in refused.document["detail"]
    await old.says('"alarm":"store_frozen"')
    assert 'alarm="store_frozen"' in await old.metrics()
    status = (await old.command("status")).output
    assert "is frozen, copied to redis://127.0.0.1" in status
    assert "token-service store thaw" in status
    assert await move.calls_for_tokens() == {"shop": (1, 1), "market": (1, 1)}

    assert (await old.command("store", "thaw")).code == 0

    async def mended() -> bool:
        return (await old.get("market", "?wait=5")).status == 200

    await eventually(mended, "the thawed service has replaced the dead token")
    assert (await move.calls_for_tokens())["market"] == (2, 2)


@pytest.mark.slow
async def test_a_service_killed_while_it_copies_stays_frozen_until_it_is_thawed(
    deployment: Deployment, locked_redis: LockedRedis
) -> None:
    """A call under way holds the copy up, and there the process dies, with both stores frozen."""
    move = Move(deployment, locked_redis)
    old = await move.old()
    shop = move.accounts[0]
    await deployment.wechat.hold_answers(shop.appid, 60, count=1)
    rotation = asyncio.create_task(old.rotate("shop"))

    async def under_way() -> bool:
        return len(await deployment.wechat.issued(shop.appid)) == 2

    async def frozen() -> bool:
        return (await old.status())["store"]["frozen"] is not None

    await eventually(under_way, "the rotation is under way")
    copy = asyncio.create_task(directly(old, "POST", COPIES_PATH, {"to": move.url}))
    await eventually(frozen, "the store is frozen for the copy")
    old.kill()
    outcomes = await asyncio.gather(rotation, copy, return_exceptions=True)
    assert {isinstance(outcome, aiohttp.ClientError) for outcome in outcomes} == {True}
    await old.start()
    await pass_time(QUIET_S)

    assert await frozen()
    assert (await old.get("shop")).status == 200
    assert await deployment.wechat.token_calls(shop.appid) == 2

    assert await directly(old, "DELETE", FREEZE_PATH) == 200

    async def resolved() -> bool:
        newest = (await deployment.wechat.issued(shop.appid))[-1]
        return (await old.get("shop", "?wait=5")).value == newest

    await eventually(resolved, "the call whose answer was lost is resolved by another one")
    move.url = move.url.removesuffix("/0") + "/1"
    assert await directly(old, "POST", COPIES_PATH, {"to": move.url}) == 200
    new = move.new()
    await new.start()
    assert (await new.get("shop", "?wait=5")).value == (await old.get("shop")).value
    assert await move.calls_for_tokens() == {"shop": (3, 2), "market": (1, 1)}


async def directly(replica: Replica, method: str, path: str, body: object = None) -> int:
    """What a command does, without the time that a command takes to start."""
    headers = {"Authorization": f"Bearer {replica.admin_key}"}
    address = f"http://127.0.0.1:{replica.internal_port}{path}"
    async with replica.session.request(method, address, json=body, headers=headers) as response:
        return response.status


async def ready(one: Backend) -> None:
    async def is_ready() -> bool:
        return bool(one.ready)

    await eventually(is_ready, "the balancer knows that the replica is ready")


def judge(callers: Callers, versions: dict[str, str]) -> None:
    """Nobody saw an error, and everybody got the one token."""
    assert callers.errors == []
    assert callers.versions == {name: {version} for name, version in versions.items()}
