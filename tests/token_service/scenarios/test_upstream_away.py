"""WeChat is away: readers don't notice while a token lives, and WeChat isn't hammered."""

from __future__ import annotations

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.served import Alarm, NoLiveToken
from token_service.slot import Mode
from zhongkong.emulator.faults import Fault

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))
TRIES_AN_HOUR = 160


async def hour_begins(stage: Stage, mode: Mode) -> tuple[StagedReplica, StagedReplica]:
    """Two replicas that hold a token, five minutes before its end."""
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(stage.token(a).expires_at - 300 - stage.now())
    stage.readings.clear()
    return a, b


@BOTH_MODES
@on_stage
async def test_an_hour_without_wechat_is_seen_by_nobody_while_the_token_lives(
    stage: Stage, mode: Mode
) -> None:
    a, _ = await hour_begins(stage, mode)
    end = stage.token(a).expires_at
    stage.weather.wechat_away = True
    await stage.passes(end - 1 - stage.now())
    assert stage.gaps() == stage.dead_served() == []


@BOTH_MODES
@on_stage
async def test_after_its_end_a_reader_hears_why_and_when_to_come_back(
    stage: Stage, mode: Mode
) -> None:
    a, _ = await hour_begins(stage, mode)
    stage.weather.wechat_away = True
    await stage.passes(301)
    with pytest.raises(NoLiveToken, match="connection refused") as caught:
        await a.rotator.get(stage.shop.slot, wait_s=1.0)
    assert 1.0 <= caught.value.retry_after_s <= 61.0
    assert Alarm.NO_LIVE_TOKEN in stage.status(a).alarms


@BOTH_MODES
@on_stage
async def test_an_hour_without_wechat_ends_with_one_call(stage: Stage, mode: Mode) -> None:
    a, b = await hour_begins(stage, mode)
    stage.weather.wechat_away = True
    began = stage.now()
    await stage.passes(3600)
    assert len(stage.events.tries_since(began)) < TRIES_AN_HOUR
    stage.weather.wechat_away = False
    await stage.until(lambda: stage.served(a) and stage.served(b), within_s=62)
    await stage.passes(60)
    assert stage.calls() == 2


@on_stage
async def test_an_hour_of_calls_that_end_unseen_shortens_no_life(stage: Stage) -> None:
    """Classic mode: each such call may have minted, and none of them has."""
    a, _ = await hour_begins(stage, Mode.CLASSIC)
    end, began = stage.token(a).expires_at, stage.now()
    fault = stage.wechat.faults.add(Fault(kind="disconnect", path="/cgi-bin/token"))
    await stage.passes(end - 1 - stage.now())
    assert stage.gaps() == stage.dead_served() == []
    await stage.passes(3000)
    assert len(stage.events.tries_since(began)) < TRIES_AN_HOUR
    stage.wechat.faults.remove(fault)
    await stage.until(lambda: stage.served(a), within_s=75)
    await stage.passes(60)
    assert stage.alive(stage.token(a))


@BOTH_MODES
@on_stage
async def test_three_minutes_away_at_the_planned_refresh_are_seen_by_nobody(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    stage.readings.clear()
    for _ in range(6):
        planned = stage.status(a).next_refresh_at or 0.0
        await stage.passes(planned - 1 - stage.now())
        stage.weather.wechat_away = True
        await stage.passes(180)
        stage.weather.wechat_away = False
        await stage.passes(LIFE_S / 3)
    assert stage.gaps() == stage.dead_served() == []
    assert stage.mints() == 7


@BOTH_MODES
@on_stage
async def test_a_refresh_that_is_late_by_half_its_lead_rings(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    stage.weather.wechat_away = True
    end = stage.token(a).expires_at
    await stage.passes(end - 125 - stage.now())
    assert Alarm.REFRESH_LATE not in stage.status(a).alarms
    await stage.passes(40)
    assert Alarm.REFRESH_LATE in stage.status(a).alarms
