"""Replicas on one Redis are replaced one by one under load, as a rollout does it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.callers import CLIENT, backend, calling, sdk_token
from tests.chaos.deployment import Deployment
from tests.chaos.gateway.front import front
from tests.chaos.patience import eventually
from tests.chaos.rounds import ROUNDS
from tests.fixtures.redis import RedisServer
from token_service.keys import digest_of_key


@pytest.mark.slow
async def test_replicas_replaced_one_by_one_are_missed_by_nobody_and_cost_no_call(
    deployment: Deployment, redis_server: RedisServer
) -> None:
    """The balancer forgets a replica before it is ended, as endpoints do during a preStop pause."""
    accounts = [await deployment.account("shop"), await deployment.account("market", "classic")]
    client = {**CLIENT, "key_sha256": digest_of_key(deployment.client_key)}
    settings = {"clients": [client]}
    replicas = [
        deployment.replica(name, store=redis_server.url, settings=settings)
        for name in ("one", "two")
    ]
    await asyncio.gather(*(replica.start() for replica in replicas))
    reads = [r.get(account.name, "?wait=20") for r in replicas for account in accounts]
    before = {answer.version for answer in await asyncio.gather(*reads)}
    opaque = {account.name: await sdk_token(replicas[0], account) for account in accounts}

    async with front() as balancer:
        balancer.backends.extend(map(backend, replicas))

        async def all_ready() -> bool:
            return all(each.ready for each in balancer.backends)

        await eventually(all_ready, "the balancer knows that both replicas are ready")
        async with calling(balancer, deployment.client_key, opaque) as callers:
            for _ in range(ROUNDS):
                for replica in replicas:
                    forgotten = balancer.backends.pop(0)
                    await callers.go_on()
                    assert await replica.end(signal.SIGTERM) == 0
                    await callers.go_on()
                    await replica.start()
                    balancer.backends.append(forgotten)
                    await eventually(all_ready, "the new replica is ready")
                    await callers.go_on()

    assert callers.errors == []
    assert {version for found in callers.versions.values() for version in found} == before
    for account in accounts:
        calls = await deployment.wechat.token_calls(account.appid)
        assert 1 <= calls <= 1 + deployment.excused(account)
        assert len(await deployment.wechat.issued(account.appid)) == 1
