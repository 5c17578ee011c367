"""A replica is killed after WeChat minted and before the answer came, in classic mode.

The tokens of this WeChat live for seconds, so that a doubt is resolved while one looks on; how the
real times play out is proven on virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.chaos.deployment import Account, Deployment
from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.chaos.patience import eventually
from tests.chaos.readers import Load
from tests.chaos.replica import Answer, Replica

LIFE_S = 12
PROBE = "/cgi-bin/get_api_domain_ip"
QUICK = {"call_deadline": "3s", "lease": "5s", "send_margin": "1500ms", "settle": "1s"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Tokens live for LIFE_S, and a replaced one lives on, as WeChat promises."""
    setup = {"parameters": {"lifetimes_s": [LIFE_S]}}
    with emulator_process(tmp_path_factory.mktemp("emulator"), setup) as process:
        yield process


@dataclass
class Killed:
    """A replica that runs again after it was killed in the middle of a call."""

    deployment: Deployment
    account: Account
    replica: Replica
    old: Answer

    async def slot(self) -> dict[str, Any]:
        return await self.replica.slot(self.account.name)

    async def in_doubt(self) -> dict[str, Any] | None:
        slot = await self.slot()
        return slot if slot["in_doubt_since"] else None

    async def probed_once(self) -> bool:
        return (await self.deployment.wechat.requests(self.account.appid)).count(PROBE) == 1


async def killed(deployment: Deployment) -> Killed:
    wechat = deployment.wechat
    account = await deployment.account("shop", "classic")
    replica = deployment.replica("one", settings={"rotation": QUICK})
    await replica.start()
    old = await replica.get("shop", "?wait=20")
    await wechat.hold_answers(account.appid, 60, count=1)
    rotation = asyncio.create_task(replica.rotate("shop"))

    async def minted() -> bool:
        return len(await wechat.issued(account.appid)) == 2

    await eventually(minted, "WeChat minted")
    replica.kill()
    with pytest.raises(aiohttp.ClientError):
        await rotation
    await replica.start()
    return Killed(deployment, account, replica, old)


@pytest.mark.slow
async def test_a_token_whose_successor_was_lost_is_in_doubt_and_replaced_by_one_mint(
    deployment: Deployment,
) -> None:
    it = await killed(deployment)

    async with Load([it.replica], [it.account]) as load:
        slot = await eventually(it.in_doubt, "the slot is in doubt")
        assert "token_in_doubt" in slot["alarms"]
        assert slot["version"] == it.old.version
        await eventually(it.probed_once, "the token is probed")

        async def replaced() -> bool:
            return (await it.replica.get("shop")).version != it.old.version

        await eventually(replaced, "a new token is handed out")
        await load.go_on()
        assert (await it.slot())["in_doubt_since"] is None

    # The mint that resolves the doubt may end the old token while its answer is on the way.
    resolved_at = min(read.at for read in load.reads if read.version != it.old.version)
    assert load.refusals == []
    assert await load.handed_out_dead(deployment.wechat, since=resolved_at) == []
    assert await deployment.wechat.token_calls(it.account.appid) == 3


@pytest.mark.slow
async def test_a_token_that_the_lost_successor_ended_is_not_handed_out_once_that_is_known(
    deployment: Deployment,
) -> None:
    it = await killed(deployment)
    await deployment.wechat.control(
        "POST",
        "/tokens/kill",
        {"appid": it.account.appid, "family": "classic", "which": "previous"},
    )

    async def replaced() -> bool:
        return (await it.replica.get("shop", "?wait=5")).version != it.old.version

    await eventually(replaced, "a new token is handed out")
    async with Load([it.replica], [it.account]) as load:
        await load.go_on()

    assert load.refusals == []
    assert await load.handed_out_dead(deployment.wechat) == []
    assert await it.probed_once()
    assert await deployment.wechat.token_calls(it.account.appid) == 3
