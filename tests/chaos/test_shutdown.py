"""The end on a signal, while requests are under way."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.egress import gated
from tests.chaos.patience import eventually
from tests.chaos.readers import Load
from tests.fixtures.processes import spawn

pytestmark = pytest.mark.slow

SIGNALS = [signal.SIGTERM, signal.SIGINT]
WAITING = 50


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_a_signal_under_load_ends_the_service_with_everything_accepted_answered(
    deployment: Deployment, number: signal.Signals
) -> None:
    account = await deployment.account("shop")
    replica = deployment.replica("one", launch=spawn)
    await replica.start()
    await replica.get("shop", "?wait=20")

    async with Load([replica], [account]) as load:
        code = await replica.end(number)

    assert code == 0
    assert load.refusals == []
    assert not any("Payload" in error for error in load.unanswered)
    assert '"shutdown_cut_short"' not in replica.log


async def test_readers_that_wait_are_sent_away_with_an_answer_when_the_service_ends(
    deployment: Deployment,
) -> None:
    """They needn't wait for the call that is under way, which is let end all the same."""
    await deployment.account("shop")
    gate = asyncio.Event()
    async with gated(deployment.wechat.process.port, gate) as url:
        replica = deployment.replica("one", base_url=url)
        await replica.start()
        waiting = [asyncio.create_task(replica.get("shop", "?wait=60")) for _ in range(WAITING)]

        async def all_wait() -> bool:
            return bool((await replica.status())["waiting"]["requests"] == WAITING)

        await eventually(all_wait, "all readers wait")
        ending = asyncio.create_task(replica.end())
        answers = await asyncio.gather(*waiting)
        gate.set()

        assert await ending == 0
    assert {answer.status for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)


@pytest.mark.parametrize("mode", ["stable", "classic"])
async def test_a_call_under_way_is_finished_and_stored_before_the_service_ends(
    deployment: Deployment, mode: str
) -> None:
    account = await deployment.account("shop", mode)
    gate = asyncio.Event()
    gate.set()
    async with gated(deployment.wechat.process.port, gate) as url:
        replica = deployment.replica("one", base_url=url)
        await replica.start()
        await replica.get("shop", "?wait=20")
        gate.clear()
        rotation = asyncio.create_task(replica.rotate("shop"))

        async def under_way() -> bool:
            return len(await deployment.wechat.issued(account.appid)) == 2

        await eventually(under_way, "the rotation is under way")
        ending = asyncio.create_task(replica.end())
        await replica.says('"stop_requested"')
        gate.set()
        assert await ending == 0
        answer = await rotation
        await replica.start()

        assert answer.status == 200
        assert (await replica.get("shop", "?wait=20")).value == answer.value
        assert (await replica.slot("shop"))["in_doubt_since"] is None
        assert len(await deployment.wechat.issued(account.appid)) == 2
