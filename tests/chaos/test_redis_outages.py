"""Redis goes away, loses everything, or moves, while readers ask two replicas all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.chaos.deployment import Account, Deployment
from tests.chaos.patience import eventually
from tests.chaos.readers import Load
from tests.chaos.replica import Replica
from tests.chaos.rounds import ROUNDS
from tests.fixtures.redis import RedisServer
from tests.fixtures.sentinel import RedisSentinel

ORDINARY: dict[str, object] = {"rotation": {}}
Disturbance = Callable[[RedisServer, Sequence[Replica], Load], Awaitable[None]]


async def noticed(replicas: Sequence[Replica], *, reachable: bool) -> None:
    async def all_say_so() -> bool:
        return all([await replica.reaches_store() is reachable for replica in replicas])

    await eventually(all_say_so, f"all replicas say that the store is reachable: {reachable}")


async def stop_and_start(server: RedisServer, replicas: Sequence[Replica], load: Load) -> None:
    await asyncio.to_thread(server.stop)
    await noticed(replicas, reachable=False)
    await load.go_on()
    await asyncio.to_thread(server.start)


async def kill_and_start(server: RedisServer, replicas: Sequence[Replica], load: Load) -> None:
    await asyncio.to_thread(server.kill)
    await noticed(replicas, reachable=False)
    await load.go_on()
    await asyncio.to_thread(server.start)


async def empty(server: RedisServer, replicas: Sequence[Replica], load: Load) -> None:
    """Returns when the replicas have given every token back to the store."""
    before = {account: given_back(replicas, account) for account in load.accounts}
    await asyncio.to_thread(server.flush)

    async def all_are_back() -> bool:
        return all(given_back(replicas, account) > count for account, count in before.items())

    await eventually(all_are_back, "the store has every token again")


def given_back(replicas: Sequence[Replica], account: Account) -> int:
    """How often the store took this account's token back, by the log."""
    words = ('"token_restored"', f'"account":"{account.name}"', '"accepted":true')
    lines = [line for replica in replicas for line in replica.log.splitlines()]
    return sum(all(word in line for word in words) for line in lines)


async def prepare(deployment: Deployment, store: str) -> tuple[list[Account], list[Replica]]:
    """Two replicas with the times of an ordinary deployment, and a token for each account.

    The tokens were fetched by another replica, which didn't leave the empty store to others for
    the ordinary time.
    """
    accounts = [await deployment.account("shop"), await deployment.account("market", "classic")]
    settler = deployment.replica("settler", store=store)
    await settler.start()
    await tokens_of([settler], accounts)
    settler.kill()
    replicas = [deployment.replica(name, store=store, settings=ORDINARY) for name in ("one", "two")]
    await asyncio.gather(*(replica.start() for replica in replicas))
    await tokens_of(replicas, accounts)
    return accounts, replicas


async def tokens_of(replicas: Sequence[Replica], accounts: Sequence[Account]) -> None:
    reads = [r.get(account.name, "?wait=20") for r in replicas for account in accounts]
    assert {answer.status for answer in await asyncio.gather(*reads)} == {200}


async def judge(deployment: Deployment, load: Load, accounts: list[Account]) -> None:
    """Every reader got the one live token, and WeChat made no other."""
    assert load.unanswered == []
    assert load.refusals == []
    assert await load.handed_out_dead(deployment.wechat) == []
    for account in accounts:
        assert len(load.versions(account)) == 1
        assert len(await deployment.wechat.issued(account.appid)) == 1
        assert await deployment.wechat.token_calls(account.appid) == 1


async def judge_recovery(
    deployment: Deployment, store: str, accounts: list[Account], replicas: list[Replica]
) -> None:
    """The store knows the tokens, a rotation reaches all replicas, nothing is in doubt."""
    newcomer = deployment.replica("newcomer", store=store, settings=ORDINARY)
    await newcomer.start()
    for account in accounts:
        old = await newcomer.get(account.name, "?wait=20")
        assert {(await r.get(account.name)).version for r in replicas} == {old.version}
        new = await replicas[0].rotate(account.name)
        assert new.status == 200, new.document
        assert new.version != old.version
        await agreed([*replicas, newcomer], account, new.version)
        assert await deployment.wechat.issued(account.appid) == [old.value, new.value]
        for replica in replicas:
            slot = await replica.slot(account.name)
            assert (slot["in_doubt_since"], slot["alarms"]) == (None, [])


async def agreed(replicas: Sequence[Replica], account: Account, version: str) -> None:
    async def all_have_it() -> bool:
        return {(await r.get(account.name)).version for r in replicas} == {version}

    await eventually(all_have_it, f"all replicas hand out the new token of {account.name}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "disturb",
    [
        pytest.param(stop_and_start, id="stopped and started again"),
        pytest.param(kill_and_start, id="killed and restarted from its file"),
        pytest.param(empty, id="emptied"),
    ],
)
async def test_readers_keep_their_token_and_the_replicas_recover_when_redis_is(
    deployment: Deployment, redis_server: RedisServer, disturb: Disturbance
) -> None:
    accounts, replicas = await prepare(deployment, redis_server.url)

    async with Load(replicas, accounts) as load:
        for _ in range(ROUNDS):
            await disturb(redis_server, replicas, load)
            await noticed(replicas, reachable=True)
            await load.go_on()

    await judge(deployment, load, accounts)
    await judge_recovery(deployment, redis_server.url, accounts, replicas)


@pytest.mark.slow
async def test_readers_keep_their_token_and_the_replicas_recover_when_sentinel_fails_redis_over(
    deployment: Deployment, redis_sentinel: RedisSentinel
) -> None:
    accounts, replicas = await prepare(deployment, redis_sentinel.url)

    async with Load(replicas, accounts) as load:
        for _ in range(ROUNDS):
            await asyncio.to_thread(redis_sentinel.kill_master)
            await noticed(replicas, reachable=True)
            await load.go_on()
            await asyncio.to_thread(redis_sentinel.replica.start)

    await judge(deployment, load, accounts)
    await judge_recovery(deployment, redis_sentinel.url, accounts, replicas)
