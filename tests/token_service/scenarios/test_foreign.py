"""Somebody else refreshes our token: found out, counted once, named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.token_service.scenarios.stage import Stage, on_stage
from token_service.served import Alarm
from token_service.slot import Mode

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


def foreign_refresh(stage: Stage) -> None:
    stage.wechat.parameters = replace(
        stage.wechat.parameters, overlap_s=0, forced_old_token="dies_at_once"
    )
    classic = stage.shop.slot.mode is Mode.CLASSIC
    stage.wechat.foreign_refresh(
        stage.shop.slot.appid, stage.now(), "classic" if classic else "stable_forced"
    )


@BOTH_MODES
@on_stage
async def test_a_foreign_refresh_is_counted_once_over_all_replicas(
    stage: Stage, mode: Mode
) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(1)
    version = stage.token(a).version
    foreign_refresh(stage)
    for replica in (a, b, a, b):
        await replica.rotator.reject(stage.shop.slot, version)
    await stage.passes(2)
    for replica in (a, b):
        status = stage.status(replica)
        assert status.foreign_refreshes == 1
        assert Alarm.FOREIGN_REFRESH in status.alarms
        assert stage.alive(stage.token(replica))
    assert "foreign_refresh_detected" in {line["event"] for line in stage.logs}


@BOTH_MODES
@on_stage
async def test_a_foreign_refresh_that_our_own_call_met_is_counted_once(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    version = stage.token(a).version
    foreign_refresh(stage)
    for _ in range(3):
        await a.rotator.reject(stage.shop.slot, version, evidence=True)
    await stage.passes(40)
    assert stage.status(a).foreign_refreshes == 1


@BOTH_MODES
@on_stage
async def test_an_account_in_a_fight_shows_each_blow(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    for number in (1, 2, 3):
        foreign_refresh(stage)
        await a.rotator.reject(stage.shop.slot, stage.token(a).version)
        await stage.passes(40)
        assert stage.status(a).foreign_refreshes == number


@BOTH_MODES
@on_stage
async def test_our_own_replacements_are_no_foreign_ones(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    stage.wechat.parameters = replace(
        stage.wechat.parameters, overlap_s=0, forced_old_token="dies_at_once"
    )
    for _ in range(3):
        old = stage.token(a).version
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
        await a.rotator.reject(stage.shop.slot, old)
        await stage.passes(31)
    assert stage.status(a).foreign_refreshes == 0


@on_stage
async def test_a_wrong_report_is_no_foreign_refresh(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    await a.rotator.reject(stage.shop.slot, stage.token(a).version)
    assert stage.status(a).foreign_refreshes == 0
