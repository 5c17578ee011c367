"""kill -9 between the upstream call and the write: what may have happened is found out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import get_args

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.slot import Mode
from token_service.upstream import STABLE_TOKEN_PATH, TOKEN_PATH
from zhongkong.emulator.faults import Delay, Fault
from zhongkong.emulator.parameters import ForcedOldToken, Parameters

PLATFORMS = pytest.mark.parametrize(
    "platform",
    [
        pytest.param(Parameters(generations=2), id="only the latest and the previous live"),
        pytest.param(Parameters(generations=16), id="each replaced one keeps its overlap"),
        pytest.param(Parameters(overlap_s=0), id="a replaced one dies at once"),
    ],
)
SLOW_ANSWER = Fault(kind="latency", when="after", count=1, delay=Delay(low_s=2.0))
HEARD_S = 1.0


async def killed_after_a_mint(stage: Stage, platform: Parameters, mode: Mode) -> float:
    """The only replica dies at its planned refresh, before it hears of its new token."""
    stage.wechat.parameters = replace(platform, lifetimes_s=(LIFE_S,))
    a = await stage.begin(mode)
    stage.wechat.faults.add(SLOW_ANSWER)
    await stage.until(lambda: stage.mints() == 2, within_s=LIFE_S)
    await stage.kill(a)
    return stage.now()


async def resolved(stage: Stage, before: str) -> float:
    """When another token is stored and nothing stands open any more."""

    def done() -> bool:
        state = stage.stored()
        return state.record is not None and state.record.value != before and not state.intents

    return await stage.until(done, within_s=300)


@PLATFORMS
@on_stage
async def test_classic_nothing_dead_is_served_once_the_intent_is_resolved(
    stage: Stage, platform: Parameters
) -> None:
    killed_at = await killed_after_a_mint(stage, platform, Mode.CLASSIC)
    before = stage.ledger.issued()[0].value
    stage.start("b")
    at = await resolved(stage, before)
    assert at - killed_at < 300
    await stage.passes(LIFE_S)
    assert stage.dead_served(since=at + HEARD_S) == []


@PLATFORMS
@on_stage
async def test_classic_the_orphaned_mint_costs_one_mint_more(
    stage: Stage, platform: Parameters
) -> None:
    await killed_after_a_mint(stage, platform, Mode.CLASSIC)
    stage.start("b")
    stage.start("c")
    await resolved(stage, stage.ledger.issued()[0].value)
    await stage.passes(60)
    assert stage.mints() == 3
    assert stage.most_calls_at_once <= 2


@on_stage
async def test_classic_a_token_that_lives_is_served_while_the_intent_is_open(stage: Stage) -> None:
    await killed_after_a_mint(stage, Parameters(generations=16), Mode.CLASSIC)
    stage.start("b")
    await stage.passes(HEARD_S)
    began = stage.now()
    await stage.passes(250)
    assert stage.gaps(began) == stage.dead_served(began) == []


@on_stage
async def test_classic_a_mint_that_killed_at_once_is_found_by_the_first_probe(
    stage: Stage,
) -> None:
    killed_at = await killed_after_a_mint(stage, Parameters(overlap_s=0), Mode.CLASSIC)
    stage.start("b")
    assert await resolved(stage, stage.ledger.issued()[0].value) < killed_at + 20


@PLATFORMS
@on_stage
async def test_stable_one_normal_fetch_resolves_a_normal_one(
    stage: Stage, platform: Parameters
) -> None:
    await killed_after_a_mint(stage, platform, Mode.STABLE)
    replica = stage.start("b")
    began = stage.now()
    await stage.until(lambda: stage.calls() == 3, within_s=20)
    await stage.passes(LIFE_S / 2)
    assert stage.calls() == 3
    assert stage.mints() == 2
    assert stage.probes() == 0
    assert stage.gaps(began + HEARD_S) == []
    assert stage.alive(stage.token(replica))


@pytest.mark.parametrize("old_token", get_args(ForcedOldToken))
@on_stage
async def test_stable_one_normal_fetch_resolves_a_forced_one(
    stage: Stage, old_token: ForcedOldToken
) -> None:
    stage.wechat.parameters = replace(stage.wechat.parameters, forced_old_token=old_token)
    a, b = await stage.begin(Mode.STABLE), stage.start("b")
    before = stage.token(a)
    stage.wechat.faults.add(SLOW_ANSWER)
    rotation = asyncio.create_task(a.rotator.rotate(stage.shop.slot, reason="a leak"))
    await stage.until(lambda: stage.mints() == 2)
    rotation.cancel()
    await stage.kill(a)
    await stage.until(lambda: stage.token(b).version != before.version, within_s=20)
    await stage.passes(60)
    assert stage.calls() == 3
    assert stage.ledger.mints(by="forced") == 1
    assert stage.alive(stage.token(b))


@on_stage
async def test_a_kill_before_the_send_costs_a_probe_and_no_dead_token(stage: Stage) -> None:
    """The call was announced, and never left."""
    a = await stage.begin(Mode.CLASSIC)
    await stage.passes((stage.status(a).next_refresh_at or 0.0) - 0.5 - stage.now())
    await stage.until(lambda: stage.stored().intents, every_s=0.0003)
    await stage.kill(a)
    assert stage.calls() == 1
    stage.start("b")
    at = await resolved(stage, stage.ledger.issued()[0].value)
    await stage.passes(60)
    assert stage.dead_served() == []
    assert stage.mints() == 2
    assert stage.stored().record is not None
    assert at < stage.ledger.issued()[0].expires_at


async def killed(stage: Stage, replica: StagedReplica, path: str) -> None:
    """Killed while its call is on the way: it lands all the same."""
    stage.wechat.faults.add(
        Fault(kind="latency", path=path, when="before", count=1, delay=Delay(low_s=1.0))
    )
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    await stage.kill(replica)


@pytest.mark.parametrize(
    ("mode", "path"), [(Mode.CLASSIC, TOKEN_PATH), (Mode.STABLE, STABLE_TOKEN_PATH)]
)
@on_stage
async def test_what_was_sent_by_a_dead_replica_still_counts(
    stage: Stage, mode: Mode, path: str
) -> None:
    a = await stage.begin(mode)
    await killed(stage, a, path)
    assert stage.mints() == 1
    stage.start("b")
    began = stage.now()
    await stage.passes(400)
    assert stage.dead_served(began + HEARD_S) == []
    assert stage.mints() == (3 if mode is Mode.CLASSIC else 2)
