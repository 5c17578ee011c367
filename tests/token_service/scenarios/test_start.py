"""Starting and restarting: how many calls it takes until everybody has the token."""

from __future__ import annotations

import asyncio

import pytest

from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.policy import Policy
from token_service.slot import Mode

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


@BOTH_MODES
@on_stage
async def test_two_replicas_with_200_readers_make_one_call(stage: Stage, mode: Mode) -> None:
    slot = stage.account(mode).slot
    replicas = [stage.start("a"), stage.start("b")]
    readers = [replica.rotator.get(slot, wait_s=10.0) for replica in replicas * 100]
    served = await asyncio.gather(*readers)
    assert stage.calls() == 1
    assert len({token.version for token in served}) == 1
    assert all(stage.alive(token) for token in served)


@BOTH_MODES
@on_stage
async def test_a_store_of_ones_own_needs_no_grace_and_one_call(stage: Stage, mode: Mode) -> None:
    plan = stage.account(mode, policy=Policy(mode=mode, reseed_grace_s=0.0))
    rotator = stage.start("a").rotator
    await asyncio.gather(*(rotator.get(plan.slot, wait_s=1.0) for _ in range(200)))
    assert stage.calls() == 1


@on_stage
async def test_an_empty_shared_store_is_left_for_a_grace_to_others(stage: Stage) -> None:
    slot = stage.account(Mode.CLASSIC).slot
    replica = stage.start("a")
    await stage.passes(2.5)
    assert stage.calls() == 0
    await replica.rotator.get(slot, wait_s=5.0)
    assert stage.calls() == 1


@BOTH_MODES
@on_stage
async def test_the_restart_of_one_replica_costs_no_call(stage: Stage, mode: Mode) -> None:
    first = await stage.begin(mode)
    stage.start("b")
    await stage.kill(first)
    again = stage.start("a")
    await stage.passes(LIFE_S / 2)
    assert stage.calls() == 1
    assert stage.alive(stage.token(again))


@BOTH_MODES
@on_stage
async def test_the_restart_of_all_replicas_costs_no_call(stage: Stage, mode: Mode) -> None:
    first = await stage.begin(mode)
    before = stage.token(first)
    await stage.kill(*stage.replicas)
    await stage.passes(60.0)
    again = stage.start("a")
    assert await again.rotator.get(stage.shop.slot, wait_s=1.0) == before
    await stage.passes(LIFE_S / 2)
    assert stage.calls() == 1


@BOTH_MODES
@on_stage
async def test_token_follows_token_without_a_gap(stage: Stage, mode: Mode) -> None:
    await stage.begin(mode)
    stage.start("b")
    await stage.passes(10.0)
    began = stage.now()
    await stage.passes(4 * LIFE_S)
    assert stage.gaps(began) == stage.dead_served() == []
    assert stage.most_calls_at_once == 1
    assert stage.calls() == stage.mints() == pytest.approx(6, abs=1)


@BOTH_MODES
@on_stage
async def test_a_planned_refresh_never_shortens_an_advertised_life(
    stage: Stage, mode: Mode
) -> None:
    first = await stage.begin(mode)
    before = stage.token(first)
    await stage.until(lambda: stage.token(first).version != before.version, LIFE_S)
    assert before.expires_at - stage.now() < 300
    assert (stage.ledger.ends_at(before.value) or 0) >= before.expires_at
