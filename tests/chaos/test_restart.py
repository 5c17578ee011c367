"""Replicas end, in good order or not, and come back: what is stored is enough."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.deployment import Account, Deployment
from tests.chaos.replica import Replica
from tests.chaos.rounds import ROUNDS
from tests.fixtures.redis import RedisServer

pytestmark = pytest.mark.slow

ENDS = [
    pytest.param(signal.SIGTERM, id="in good order"),
    pytest.param(signal.SIGKILL, id="killed"),
]


async def two_accounts(deployment: Deployment) -> list[Account]:
    return [await deployment.account("shop"), await deployment.account("market", "classic")]


async def values(replicas: list[Replica], accounts: list[Account]) -> set[str]:
    reads = [r.get(account.name, "?wait=20") for r in replicas for account in accounts]
    return {answer.value for answer in await asyncio.gather(*reads)}


async def judge_calls(deployment: Deployment, accounts: list[Account]) -> None:
    for account in accounts:
        calls = len(await deployment.wechat.requests(account.appid))
        assert 1 <= calls <= 1 + deployment.excused(account)


@pytest.mark.parametrize("number", ENDS)
async def test_a_restart_on_sqlite_calls_nobody_while_the_stored_tokens_live(
    deployment: Deployment, number: signal.Signals
) -> None:
    accounts = await two_accounts(deployment)
    replica = deployment.replica("one")
    await replica.start()
    before = await values([replica], accounts)

    for _ in range(ROUNDS):
        await replica.restart(number)

        assert await values([replica], accounts) == before
    await judge_calls(deployment, accounts)


@pytest.mark.parametrize("number", ENDS)
async def test_restarts_on_redis_call_nobody_while_the_stored_tokens_live(
    deployment: Deployment, redis_server: RedisServer, number: signal.Signals
) -> None:
    """First one of the replicas, then both at the same time."""
    accounts = await two_accounts(deployment)
    replicas = [deployment.replica(name, store=redis_server.url) for name in ("one", "two")]
    await asyncio.gather(*(replica.start() for replica in replicas))
    before = await values(replicas, accounts)

    for _ in range(ROUNDS):
        for group in (replicas[:1], replicas):
            await asyncio.gather(*(replica.restart(number) for replica in group))

            assert await values(replicas, accounts) == before
    await judge_calls(deployment, accounts)


async def test_a_second_process_on_the_same_file_is_refused_and_the_first_goes_on(
    deployment: Deployment,
) -> None:
    account = await deployment.account("shop")
    first = deployment.replica("one")
    await first.start()
    answer = await first.get("shop", "?wait=20")
    file = first.config.parent / "tokens.db"
    second = deployment.replica("two", store=f"sqlite:///{file}")

    await second.launch()
    code = await second.ended()

    assert code == 1
    assert str(file) in second.log
    assert "Traceback" not in second.log
    assert (await first.get("shop")).version == answer.version
    assert await deployment.wechat.token_calls(account.appid) == 1
