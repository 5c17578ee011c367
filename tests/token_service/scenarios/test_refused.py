"""WeChat says no, and people have to act: seen with cause and remedy, and without hammering."""

from __future__ import annotations

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import Stage, on_stage
from token_service.served import Alarm, NoLiveToken, Served
from token_service.slot import FailureKind, Mode
from zhongkong.emulator.allowlist import AllowlistSettings
from zhongkong.emulator.parameters import Parameters

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))
HOME, AWAY = "192.0.2.1", "198.51.100.9"
CALLS_AN_HOUR = 8


def refresh_failures(stage: Stage) -> list[dict[str, object]]:
    return [dict(line) for line in stage.logs if line["event"] == "refresh_failed"]


@BOTH_MODES
@on_stage
async def test_a_wrong_secret_is_seen_with_cause_and_remedy(stage: Stage, mode: Mode) -> None:
    plan = stage.account(mode)
    stage.secrets["shop"] = "f" * 32
    a = stage.start("a")
    with pytest.raises(NoLiveToken, match="40125") as caught:
        await a.rotator.get(plan.slot, wait_s=5.0)
    status = stage.status(a)
    assert caught.value.retry_after_s > 60
    assert status.failure is not None
    assert (status.failure.kind, status.failure.errcode) == (FailureKind.OPERATOR, 40125)
    assert "AppSecret" in status.failure.detail or "secret" in status.failure.detail
    assert {Alarm.OPERATOR_ERROR, Alarm.NO_LIVE_TOKEN} <= set(status.alarms)
    assert refresh_failures(stage)[0]["remedy"]
    assert "f" * 32 not in str(stage.logs) + str(status)


@BOTH_MODES
@on_stage
async def test_a_wrong_secret_is_tried_a_few_times_an_hour_by_all_replicas_together(
    stage: Stage, mode: Mode
) -> None:
    stage.account(mode)
    stage.secrets["shop"] = "f" * 32
    for name in ("a", "b", "c"):
        stage.start(name)
    await stage.passes(3600)
    assert 2 <= stage.calls() <= CALLS_AN_HOUR


@BOTH_MODES
@on_stage
async def test_another_account_does_not_notice(stage: Stage, mode: Mode) -> None:
    stage.account(mode)
    well = stage.account(mode, "well")
    stage.secrets["shop"] = "f" * 32
    a = stage.start("a")
    await a.rotator.get(well.slot, wait_s=5.0)
    await stage.passes(1200)
    assert stage.status(a, well).live
    assert stage.status(a, well).alarms == ()


@BOTH_MODES
@on_stage
async def test_a_replaced_secret_is_tried_at_once(stage: Stage, mode: Mode) -> None:
    plan = stage.account(mode)
    right, stage.secrets["shop"] = stage.secrets["shop"], "f" * 32
    a, b = stage.start("a"), stage.start("b")
    await stage.passes(100)
    stage.secrets["shop"] = right
    for replica in (a, b):
        replica.rotator.credential_changed("shop")
    served = await a.rotator.get(plan.slot, wait_s=5.0)
    await stage.passes(2)
    assert served == stage.token(b)
    assert stage.status(a).failure is None
    assert Alarm.OPERATOR_ERROR not in stage.status(a).alarms


@on_stage
async def test_a_wrong_secret_takes_no_living_token_away(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    stage.secrets["shop"] = "f" * 32
    end, began = stage.token(a).expires_at, stage.now()
    await stage.passes(end - 1 - began)
    assert stage.gaps(began) == stage.dead_served() == []
    assert Alarm.OPERATOR_ERROR in stage.status(a).alarms


async def begin_long(stage: Stage, mode: Mode) -> StagedReplica:
    """As `begin`, with tokens that live as long as real ones."""
    stage.wechat.parameters = Parameters()
    return await stage.begin(mode)


async def a_rotation_is_refused(stage: Stage, replica: StagedReplica) -> Served:
    """WeChat freezes the account, and somebody asks for another token. Returns the living one."""
    before = stage.token(replica)
    stage.wechat.console.freeze(stage.shop.slot.appid, 50002)
    with pytest.raises(NoLiveToken, match="50002"):
        await replica.rotator.rotate(stage.shop.slot, reason="leaked")
    await stage.until(lambda: Alarm.OPERATOR_ERROR in stage.status(replica).alarms, within_s=1)
    return before


@on_stage
async def test_a_refused_rotation_rings_until_the_cause_is_mended_and_no_longer(
    stage: Stage,
) -> None:
    a, b = await begin_long(stage, Mode.STABLE), stage.start("b")
    before, mints = await a_rotation_is_refused(stage, a), stage.mints()
    await stage.passes(1300)
    assert Alarm.OPERATOR_ERROR in stage.status(b).alarms
    stage.wechat.console.freeze(stage.shop.slot.appid, None)
    await stage.until(
        lambda: all(stage.status(each).failure is None for each in (a, b)), within_s=665
    )
    assert stage.status(a).alarms == stage.status(b).alarms == ()
    assert (stage.token(a).version, stage.mints()) == (before.version, mints)


@on_stage
async def test_a_refused_rotation_is_asked_about_a_few_times_an_hour_while_the_token_lives(
    stage: Stage,
) -> None:
    a, _ = await begin_long(stage, Mode.STABLE), stage.start("b")
    before, calls = await a_rotation_is_refused(stage, a), stage.calls()
    await stage.passes(3600)
    assert 4 <= stage.calls() - calls <= CALLS_AN_HOUR
    status = stage.status(a)
    assert (status.spent["forced"], status.waiting_for) == (1, "operator_must_act")
    assert status.alarms == (Alarm.OPERATOR_ERROR,)
    assert stage.token(a).version == before.version
    assert stage.gaps(before.issued_at + 1) == []


@on_stage
async def test_what_another_replica_found_mended_is_told_by_the_refused_one_too(
    stage: Stage,
) -> None:
    a, b = await begin_long(stage, Mode.STABLE), stage.start("b")
    await a_rotation_is_refused(stage, a)
    stage.wechat.console.freeze(stage.shop.slot.appid, None)
    a.door.pause()
    await stage.until(lambda: stage.status(b).alarms == (), within_s=665)
    assert stage.status(a).failure is not None
    a.door.resume()
    await stage.until(lambda: stage.status(a).failure is None, within_s=10)


@on_stage
async def test_another_secret_shows_at_once_that_the_cause_is_mended(stage: Stage) -> None:
    a = await begin_long(stage, Mode.STABLE)
    right, stage.secrets["shop"] = stage.secrets["shop"], "f" * 32
    before = stage.token(a)
    with pytest.raises(NoLiveToken, match="40125"):
        await a.rotator.rotate(stage.shop.slot, reason="leaked")
    await stage.passes(5)
    assert stage.status(a).alarms == (Alarm.OPERATOR_ERROR,)
    stage.secrets["shop"] = right
    a.rotator.credential_changed("shop")
    await stage.until(lambda: stage.status(a).alarms == (), within_s=2)
    assert stage.token(a).version == before.version


@on_stage
async def test_a_network_that_fails_meanwhile_is_no_news_of_the_cause(stage: Stage) -> None:
    a = await begin_long(stage, Mode.STABLE)
    await a_rotation_is_refused(stage, a)
    stage.weather.wechat_away = True
    await stage.until(lambda: Alarm.OPERATOR_ERROR not in stage.status(a).alarms, within_s=665)
    assert stage.status(a).failure is not None
    stage.weather.wechat_away = False
    await stage.until(lambda: Alarm.OPERATOR_ERROR in stage.status(a).alarms, within_s=61)


@on_stage
async def test_a_classic_token_is_not_ended_to_learn_whether_the_cause_is_mended(
    stage: Stage,
) -> None:
    a = await begin_long(stage, Mode.CLASSIC)
    before, calls = await a_rotation_is_refused(stage, a), stage.calls()
    stage.wechat.console.freeze(stage.shop.slot.appid, None)
    due = stage.status(a).next_refresh_at
    assert due is not None
    await stage.passes(due - stage.now() - 1)
    assert (stage.token(a).version, stage.calls()) == (before.version, calls)
    assert stage.status(a).alarms == (Alarm.OPERATOR_ERROR,)
    await stage.passes(2)
    assert stage.status(a).alarms == ()


@BOTH_MODES
@on_stage
async def test_a_frozen_account_is_seen_and_left_alone(stage: Stage, mode: Mode) -> None:
    plan = stage.account(mode)
    stage.wechat.console.freeze(plan.slot.appid, 50002)
    a, b = stage.start("a"), stage.start("b")
    await stage.passes(3600)
    assert stage.calls() <= CALLS_AN_HOUR
    for replica in (a, b):
        failure = stage.status(replica).failure
        assert failure is not None
        assert failure.errcode == 50002
        assert failure.rid
    stage.wechat.console.freeze(plan.slot.appid, None)
    await stage.until(lambda: stage.served(a) and stage.served(b), within_s=700)


@BOTH_MODES
@on_stage
async def test_a_replica_whose_address_is_refused_leaves_the_work_to_another(
    stage: Stage, mode: Mode
) -> None:
    plan = stage.account(mode)
    listed = AllowlistSettings(enabled=True, addresses=(HOME,))
    stage.wechat.console.set_allowlist(plan.slot.appid, listed)
    b = stage.start("b", address=AWAY)
    await stage.until(lambda: stage.status(b).refusals, within_s=10)
    a = stage.start("a", address=HOME)
    await stage.until(lambda: stage.served(a) and stage.served(b), within_s=10)
    refusal = stage.status(b).refusals[0]
    assert (refusal.replica, refusal.errcode, refusal.address) == ("b", 40164, AWAY)
    assert Alarm.ADDRESS_REFUSED in stage.status(a).alarms
    assert Alarm.PARKED not in stage.status(a).alarms
    assert refresh_failures(stage)[0]["remedy"]


@BOTH_MODES
@on_stage
async def test_an_account_is_parked_when_every_replica_was_refused(
    stage: Stage, mode: Mode
) -> None:
    plan = stage.account(mode)
    stage.wechat.console.set_allowlist(plan.slot.appid, AllowlistSettings(enabled=True))
    a, b = stage.start("a", HOME), stage.start("b", AWAY)
    await stage.passes(30)
    assert Alarm.PARKED in stage.status(a).alarms
    assert {refusal.replica for refusal in stage.status(b).refusals} == {"a", "b"}
    with pytest.raises(NoLiveToken, match="address") as caught:
        await a.rotator.get(plan.slot, wait_s=1.0)
    assert caught.value.retry_after_s > 1
    await stage.passes(3600 - 30)
    assert stage.calls() <= 2 * 62


@on_stage
async def test_a_refusal_that_lasts_an_hour_is_respected(stage: Stage) -> None:
    plan = stage.account(Mode.STABLE)
    console = stage.wechat.console
    console.set_allowlist(plan.slot.appid, AllowlistSettings(confirmation=True))
    console.refuse(plan.slot.appid, HOME, stage.now())
    a = stage.start("a", HOME)
    await stage.passes(3590)
    assert stage.calls() == 1
    assert stage.status(a).refusals[0].errcode == 89507


@on_stage
async def test_an_address_put_on_the_list_is_found_within_its_period(stage: Stage) -> None:
    plan = stage.account(Mode.CLASSIC)
    stage.wechat.console.set_allowlist(plan.slot.appid, AllowlistSettings(enabled=True))
    a = stage.start("a", HOME)
    await stage.passes(30)
    listed = AllowlistSettings(enabled=True, addresses=(HOME,))
    stage.wechat.console.set_allowlist(plan.slot.appid, listed)
    await stage.until(lambda: stage.served(a), within_s=61)
    assert stage.status(a).refusals == ()
    assert Alarm.PARKED not in stage.status(a).alarms
