"""A person wants a new token."""

from __future__ import annotations

import asyncio

import pytest

from tests.token_service.scenarios.stage import Stage, on_stage
from token_service.policy import Limits, Policy
from token_service.served import TooSoon
from token_service.slot import Mode

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


@on_stage
async def test_stable_a_rotation_is_one_forced_refresh(stage: Stage) -> None:
    a = await stage.begin(Mode.STABLE)
    before = stage.token(a)
    served = await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert served.version != before.version
    assert stage.alive(served)
    assert stage.ledger.mints(by="forced") == 1
    assert stage.calls() == 2


@on_stage
async def test_stable_another_one_within_30_s_is_too_soon(stage: Stage) -> None:
    a = await stage.begin(Mode.STABLE)
    await a.rotator.rotate(stage.shop.slot, reason="a leak")
    await stage.passes(10)
    with pytest.raises(TooSoon, match="within 30 s") as caught:
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert caught.value.retry_after_s == pytest.approx(20, abs=1)
    await stage.passes(caught.value.retry_after_s)
    await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert stage.ledger.mints(by="forced") == 2


@on_stage
async def test_classic_a_rotation_is_one_mint(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    before = stage.token(a)
    served = await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert served.version != before.version
    assert stage.mints() == stage.calls() == 2
    assert stage.probes() == 0


@BOTH_MODES
@on_stage
async def test_every_replica_serves_the_rotated_token_within_a_second(
    stage: Stage, mode: Mode
) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(5)
    served = await a.rotator.rotate(stage.shop.slot, reason="a leak")
    await stage.passes(1)
    assert stage.token(b).version == served.version


@on_stage
async def test_classic_two_people_at_once_get_a_token_each_in_turn(stage: Stage) -> None:
    a, b = await stage.begin(Mode.CLASSIC), stage.start("b")
    await stage.passes(1)
    slot = stage.shop.slot
    await asyncio.gather(
        a.rotator.rotate(slot, reason="a leak"), b.rotator.rotate(slot, reason="a leak")
    )
    assert stage.most_calls_at_once == 1
    assert stage.stored().intents == ()
    await stage.passes(1)
    assert stage.token(a).version == stage.token(b).version


@on_stage
async def test_a_reserve_of_forced_refreshes_is_left_to_people(stage: Stage) -> None:
    limits = Limits(forced=3, forced_reserve=3)
    a = await stage.begin(Mode.STABLE, Policy(mode=Mode.STABLE, limits=limits))
    for _ in range(3):
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
        await stage.passes(31)
    with pytest.raises(TooSoon, match="spent") as caught:
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert caught.value.retry_after_s > 3600


@BOTH_MODES
@on_stage
async def test_a_rotation_tries_at_once_what_is_waited_out_otherwise(
    stage: Stage, mode: Mode
) -> None:
    plan = stage.account(mode)
    stage.wechat.console.freeze(plan.slot.appid, 50002)
    a = stage.start("a")
    await stage.passes(30)
    assert stage.calls() == 1
    stage.wechat.console.freeze(plan.slot.appid, None)
    served = await a.rotator.rotate(plan.slot, reason="the account is thawed")
    assert stage.alive(served)
    assert stage.calls() == 2
