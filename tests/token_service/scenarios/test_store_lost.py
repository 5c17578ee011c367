"""The store lost its past: emptied, restarted, or failed over to a late copy."""

from __future__ import annotations

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.slot import Mode
from zhongkong.emulator.faults import Delay, Fault

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


@BOTH_MODES
@on_stage
async def test_an_emptied_store_is_given_the_living_token_back(stage: Stage, mode: Mode) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(10)
    before, began = stage.token(a), stage.now()
    fence = stage.stored().counter
    stage.store.empty()
    await stage.passes(10)
    record = stage.stored().record
    assert record is not None
    assert record.version == before.version
    assert stage.stored().counter >= fence
    assert stage.gaps(began) == []
    assert (stage.probes(), stage.calls()) == (1, 1)
    assert stage.token(b) == before


@BOTH_MODES
@on_stage
async def test_grants_after_a_loss_stand_above_those_before_it(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    for _ in range(3):
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
        await stage.passes(31)
    before = stage.stored().counter
    assert before >= 4
    stage.store.empty()
    await stage.passes(10)
    await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert stage.stored().counter > before


@BOTH_MODES
@on_stage
async def test_an_emptied_store_and_a_dead_token_end_in_one_fetch(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    stage.start("b")
    await stage.passes(10)
    stage.token_dies()
    stage.store.empty()
    await stage.passes(30)
    assert stage.alive(stage.token(a))
    assert (stage.probes(), stage.mints()) == (1, 2)


@on_stage
async def test_a_fresh_replica_leaves_an_emptied_store_to_those_that_hold_a_token(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.CLASSIC)
    before = stage.token(a)
    stage.store.empty()
    c = stage.start("c")
    await stage.passes(10)
    assert stage.token(c).version == before.version
    assert stage.calls() == 1


@on_stage
async def test_when_nobody_holds_a_token_an_emptied_store_costs_one_mint(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    await stage.kill(a)
    stage.store.empty()
    b, c = stage.start("b"), stage.start("c")
    await stage.until(lambda: stage.served(b) and stage.served(c), within_s=10)
    assert stage.mints() == 2
    assert stage.token(b).version == stage.token(c).version


def caller(stage: Stage) -> StagedReplica:
    """The replica that holds the lease."""
    lease = stage.stored().lease
    assert lease is not None
    return next(replica for replica in stage.replicas if replica.name == lease.holder)


@on_stage
async def test_an_intent_survives_the_loss_of_the_store(stage: Stage) -> None:
    """The replica that saw another's open call gives it back with the token."""
    await stage.begin(Mode.CLASSIC)
    stage.start("b")
    stage.wechat.faults.add(Fault(kind="latency", when="after", count=1, delay=Delay(low_s=3.0)))
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    await stage.passes(1)
    await stage.kill(caller(stage))
    stage.store.empty()
    await stage.until(lambda: stage.stored().record, within_s=10)
    assert len(stage.stored().intents) == 1
    await stage.until(lambda: not stage.stored().intents, within_s=300)
    assert stage.mints() == 3
    assert len(stage.dead_served()) <= 1


@BOTH_MODES
@on_stage
async def test_a_failover_to_a_late_copy_heals_by_itself(stage: Stage, mode: Mode) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(10)
    late = stage.store.copy_states()
    served = await a.rotator.rotate(stage.shop.slot, reason="a leak")
    await stage.passes(5)
    began = stage.now()
    stage.store.rewind(late)
    await stage.passes(30)
    assert stage.stored().record is not None
    assert stage.token(a).version == stage.token(b).version == served.version
    assert stage.gaps(began) == stage.dead_served(began) == []
    await stage.passes(2 * LIFE_S)
    assert stage.dead_served(began) == []


@BOTH_MODES
@on_stage
async def test_a_store_that_comes_and_goes_is_no_reason_for_a_storm(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    stage.start("b")
    await stage.passes(5)
    began = stage.now()
    for number in range(20):
        stage.weather.store_away = number % 2 == 0
        if number % 5 == 4:
            stage.store.empty()
        await stage.passes(15)
    stage.weather.store_away = False
    await stage.passes(30)
    assert stage.gaps(began) == []
    assert stage.calls() == 1
    assert stage.alive(stage.token(a))
