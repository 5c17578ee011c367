"""Calls a day are counted, and stop before WeChat's own quota is spent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.obstacles import Reason
from token_service.policy import Limits, Policy
from token_service.served import Alarm, NoLiveToken
from token_service.slot import FailureKind, Mode
from token_service.upstream import TOKEN_PATH
from zhongkong.emulator.account import AccountKind
from zhongkong.wechat.limits import next_reset

FIVE_A_DAY = Policy(mode=Mode.CLASSIC, limits=Limits(classic=5, classic_reserve=0))


@on_stage
async def test_a_nearly_spent_budget_rings(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC, FIVE_A_DAY)
    await stage.until(lambda: stage.calls() == 3, within_s=3 * LIFE_S, every_s=5)
    assert Alarm.BUDGET_LOW not in stage.status(a).alarms
    await stage.until(lambda: stage.calls() == 4, within_s=LIFE_S, every_s=5)
    assert Alarm.BUDGET_LOW in stage.status(a).alarms
    assert stage.status(a).spent == {"classic": 4}
    assert stage.status(a).limits == {"classic": 5}


@on_stage
async def test_a_spent_budget_stops_all_calls_until_midnight_in_china(stage: Stage) -> None:
    a, b = await stage.begin(Mode.CLASSIC, FIVE_A_DAY), stage.start("b")
    midnight = next_reset(stage.now())
    await stage.passes(midnight - 5 - stage.now())
    assert stage.calls() == 5
    status = stage.status(a)
    assert Alarm.BUDGET_SPENT in status.alarms
    assert status.waiting_for is Reason.BUDGET_SPENT
    with pytest.raises(NoLiveToken, match="budget") as caught:
        await b.rotator.get(stage.shop.slot, wait_s=1.0)
    assert caught.value.retry_after_s <= 5.0
    await stage.until(lambda: stage.served(a), within_s=10)
    assert stage.calls() == 6


@on_stage
async def test_a_store_that_lost_the_count_is_told_by_the_replica_that_called(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.CLASSIC, FIVE_A_DAY)
    await stage.until(lambda: stage.calls() == 5, within_s=5 * LIFE_S, every_s=5)
    await stage.passes(LIFE_S)
    stage.store.empty()
    await stage.passes(60)
    assert stage.calls() == 5
    assert Alarm.BUDGET_SPENT in stage.status(a).alarms


@on_stage
async def test_a_quota_that_wechat_says_is_spent_is_waited_out(stage: Stage) -> None:
    stage.wechat.parameters = replace(stage.wechat.parameters, daily_limits={TOKEN_PATH: 2})
    a = await stage.begin(Mode.CLASSIC)
    midnight = next_reset(stage.now())
    await stage.passes(midnight - 5 - stage.now())
    status = stage.status(a)
    assert stage.calls() == 3
    assert status.failure is not None
    assert status.failure.kind is FailureKind.QUOTA
    assert status.failure.retry_at == midnight
    await stage.until(lambda: stage.served(a), within_s=10)


@on_stage
async def test_a_rotation_that_wechat_has_no_forced_call_left_for_endangers_no_refresh(
    stage: Stage,
) -> None:
    stage.wechat.parameters = replace(stage.wechat.parameters, forced_daily=0)
    a = await stage.begin(Mode.STABLE)
    issued_at = stage.token(a).issued_at
    with pytest.raises(NoLiveToken, match="45009"):
        await a.rotator.rotate(stage.shop.slot, reason="leaked")
    await stage.passes(3 * LIFE_S)
    status = stage.status(a)
    assert (status.failure, status.live, status.spent["forced"]) == (None, True, 1)
    assert stage.gaps(issued_at + 1) == []


@on_stage
async def test_each_account_has_its_own_budget_and_kind(stage: Stage) -> None:
    """A sandbox account's 200 calls are no limit for its neighbour."""
    sandbox = Limits(classic=200, classic_reserve=195)
    small = stage.account(
        Mode.CLASSIC, "small", Policy(mode=Mode.CLASSIC, limits=sandbox), AccountKind.SANDBOX
    )
    large = stage.account(Mode.CLASSIC, "large")
    a = stage.start("a")
    await stage.passes(6000)
    assert stage.calls(small) == 5
    assert stage.status(a, small).live is False
    assert stage.calls(large) == pytest.approx(9, abs=1)
    assert stage.status(a, large).live is True
