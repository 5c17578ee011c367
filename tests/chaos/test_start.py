"""The first token: how many ask, and how often WeChat is asked."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.deployment import Deployment
from tests.fixtures.redis import RedisServer

pytestmark = pytest.mark.slow

READERS = 200


@pytest.mark.parametrize("mode", ["stable", "classic"])
async def test_two_hundred_readers_of_two_replicas_on_an_empty_redis_cause_one_call(
    deployment: Deployment, redis_server: RedisServer, mode: str
) -> None:
    account = await deployment.account("shop", mode)
    await deployment.wechat.hold_answers(account.appid, 0.3)
    replicas = [deployment.replica(name, store=redis_server.url) for name in ("one", "two")]
    await asyncio.gather(*(replica.start() for replica in replicas))

    reads = [r.get("shop", "?wait=20") for r in replicas for _ in range(READERS // 2)]
    answers = await asyncio.gather(*reads)

    assert {answer.status for answer in answers} == {200}
    assert {a.value for a in answers} == set(await deployment.wechat.issued(account.appid))
    calls = len(await deployment.wechat.requests(account.appid))
    assert 1 <= calls <= 1 + deployment.excused(account)


@pytest.mark.parametrize("mode", ["stable", "classic"])
async def test_two_hundred_readers_of_one_replica_on_an_empty_file_cause_one_call(
    deployment: Deployment, mode: str
) -> None:
    account = await deployment.account("shop", mode)
    await deployment.wechat.hold_answers(account.appid, 0.3)
    replica = deployment.replica("one")
    await replica.start()

    answers = await asyncio.gather(*(replica.get("shop", "?wait=20") for _ in range(READERS)))

    assert {answer.status for answer in answers} == {200}
    assert {a.value for a in answers} == set(await deployment.wechat.issued(account.appid))
    calls = len(await deployment.wechat.requests(account.appid))
    assert 1 <= calls <= 1 + deployment.excused(account)
