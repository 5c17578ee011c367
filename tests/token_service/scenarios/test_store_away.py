"""The store can't be reached: what is held is served, and nothing is minted blindly."""

from __future__ import annotations

import pytest

from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.served import Alarm, NoLiveToken
from token_service.slot import Mode
from zhongkong.emulator.faults import Delay, Fault

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


@BOTH_MODES
@on_stage
async def test_a_held_token_is_served_to_its_end(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    stage.weather.store_away = stage.weather.wechat_away = True
    began, end = stage.now(), stage.token(a).expires_at
    await stage.passes(end - 1 - began)
    assert stage.gaps(began) == []
    assert Alarm.STORE_AWAY in stage.status(a).alarms
    await stage.passes(1.5)
    assert stage.served(a) is None


@on_stage
async def test_a_wall_clock_that_jumps_ahead_costs_a_reader_one_look_at_the_store(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.CLASSIC)
    a.wall.skew_s += 10_000
    assert a.rotator.peek(stage.shop.slot) is None
    assert (await a.rotator.get(stage.shop.slot, wait_s=1)).lifetime(stage.now()) > 0
    assert stage.calls() == 1


@pytest.mark.parametrize("jump_s", [100.0, -100.0])
@on_stage
async def test_no_jump_of_the_wall_clock_prolongs_a_life(stage: Stage, jump_s: float) -> None:
    """The earlier of the shared and the monotonic end counts."""
    a = await stage.begin(Mode.CLASSIC)
    end = stage.token(a).expires_at
    stage.weather.store_away = True
    a.wall.skew_s += jump_s
    await stage.passes(end - 1 - max(jump_s, 0.0) - stage.now())
    assert stage.served(a) is not None
    await stage.passes(1.5)
    assert stage.served(a) is None


@on_stage
async def test_classic_mints_nothing(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    stage.weather.store_away = True
    await stage.passes(2 * LIFE_S)
    assert stage.calls() == 1
    assert stage.dead_served() == []
    with pytest.raises(NoLiveToken, match="store"):
        await a.rotator.get(stage.shop.slot, wait_s=1.0)


@on_stage
async def test_stable_renews_a_dying_token(stage: Stage) -> None:
    a, b = await stage.begin(Mode.STABLE), stage.start("b")
    await stage.passes(5)
    began = stage.now()
    stage.weather.store_away = True
    await stage.passes(3 * LIFE_S)
    assert stage.gaps(began) == stage.dead_served() == []
    assert stage.calls() <= 10
    assert stage.token(a).version == stage.token(b).version
    stage.weather.store_away = False
    await stage.passes(30)
    assert stage.stored().record is not None
    assert stage.token(a).version == stage.token(b).version
    assert stage.mints() <= 5


@on_stage
async def test_stable_a_replica_that_never_saw_the_store_still_serves(stage: Stage) -> None:
    plan = stage.account(Mode.STABLE)
    stage.weather.store_away = True
    a = stage.start("a")
    served = await a.rotator.get(plan.slot, wait_s=5.0)
    assert stage.alive(served)
    assert a.rotator.ready


async def cut_off_before_the_write(stage: Stage) -> None:
    """A classic mint goes well, and its holder can't tell the store."""
    await stage.begin(Mode.CLASSIC)
    stage.wechat.faults.add(Fault(kind="latency", when="after", count=1, delay=Delay(low_s=1.0)))
    await stage.until(lambda: stage.mints() == 2, within_s=LIFE_S)
    stage.weather.store_away = True
    await stage.passes(3)


@on_stage
async def test_an_unwritten_token_is_served_and_written_when_the_store_is_back(
    stage: Stage,
) -> None:
    await cut_off_before_the_write(stage)
    (a,) = stage.replicas
    minted = stage.ledger.issued()[-1]
    assert stage.token(a).value == minted.value
    await stage.passes(200)
    stage.weather.store_away = False
    await stage.passes(5)
    record = stage.stored().record
    assert record is not None
    assert record.value == minted.value
    assert stage.token(a).expires_at == pytest.approx(minted.expires_at, abs=1)
    assert stage.mints() == 2
    assert not stage.stored().intents


@on_stage
async def test_an_unwritten_token_is_served_no_longer_than_285_s_from_its_send(
    stage: Stage,
) -> None:
    """Another replica may have minted since, whose call would end this token."""
    await cut_off_before_the_write(stage)
    (a,) = stage.replicas
    minted = stage.ledger.issued()[-1]
    assert stage.token(a).expires_at == pytest.approx(minted.at + 285, abs=1)
    await stage.passes(minted.at + 284 - stage.now())
    assert stage.served(a) is not None
    await stage.passes(2)
    assert stage.served(a) is None


@on_stage
async def test_an_unwritten_token_loses_against_a_later_grant(stage: Stage) -> None:
    """One replica alone is cut off; the other one goes on with the store."""
    await cut_off_before_the_write(stage)
    (a,) = stage.replicas
    a.door.cut, stage.weather.store_away = True, False
    b = stage.start("b")
    await stage.until(lambda: stage.mints() == 3, within_s=300)
    await stage.passes(1)
    a.door.cut = False
    await stage.passes(30)
    assert stage.events.refused_commits == 1
    assert stage.token(a).version == stage.token(b).version
    await stage.passes(300)
    assert stage.mints() <= 4


@BOTH_MODES
@on_stage
async def test_a_replica_alone_without_the_store_follows_when_it_is_back(
    stage: Stage, mode: Mode
) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(1)
    b.door.cut = True
    served = await a.rotator.rotate(stage.shop.slot, reason="a leak")
    await stage.passes(20)
    b.door.cut = False
    await stage.passes(2)
    assert stage.token(b).version == served.version


@on_stage
async def test_stable_no_jump_there_and_back_prolongs_a_life_found_without_the_store(
    stage: Stage,
) -> None:
    """A token fetched alone is dated by the earlier of both clocks."""
    a = await stage.begin(Mode.STABLE)
    stage.weather.store_away = True
    a.wall.skew_s = 150.0
    await stage.until(lambda: stage.mints() == 2, within_s=LIFE_S)
    a.wall.skew_s = 0.0
    stage.weather.wechat_away = True
    await stage.passes(LIFE_S + 60)
    assert stage.dead_served() == []
