"""WeChat refuses the address of one replica; the other one's is on the allowlist."""

from __future__ import annotations

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.egress import egress
from tests.chaos.patience import eventually
from tests.fixtures.redis import RedisServer

ALLOWED, REFUSED = "127.0.0.2", "127.0.0.3"


@pytest.mark.slow
async def test_a_replica_whose_address_is_refused_stands_aside_for_the_others(
    deployment: Deployment, redis_server: RedisServer
) -> None:
    walls = {"enabled": True, "addresses": [ALLOWED]}
    account = await deployment.account("shop", allowlist=walls)
    port = deployment.wechat.process.port
    async with egress(port, REFUSED) as bad, egress(port, ALLOWED) as good:
        refused = deployment.replica("refused", store=redis_server.url, base_url=bad)
        other = deployment.replica("other", store=redis_server.url, base_url=good)
        await refused.start()

        async def is_refused() -> bool:
            return bool((await refused.slot("shop"))["refused_addresses"])

        await eventually(is_refused, "the first replica's address was refused")
        assert (await refused.get("shop", "?wait=0")).status == 503
        await other.start()

        given = await other.get("shop", "?wait=20")

        async def has_it() -> bool:
            answer = await refused.get("shop")
            return answer.status == 200 and answer.version == given.version

        await eventually(has_it, "the refused replica hands out what the other fetched")

        async def both_show_it() -> bool:
            slots = [await replica.slot("shop") for replica in (refused, other)]
            addresses = [one["address"] for slot in slots for one in slot["refused_addresses"]]
            alarms = [slot["alarms"] for slot in slots]
            return addresses == [REFUSED] * 2 and alarms == [["address_refused"]] * 2

        await eventually(both_show_it, "the refusal is shown, and that it is not everybody's")
        calls = await deployment.wechat.token_calls(account.appid)
        assert 2 <= calls <= 2 + deployment.excused(account)
