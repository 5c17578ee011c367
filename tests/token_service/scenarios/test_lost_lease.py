"""The lease is lost during a slow call: the late writer overwrites nothing, the doubt ends."""

from __future__ import annotations

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.served import Alarm, NoLiveToken
from token_service.slot import IntentOutcome, Mode
from token_service.upstream import TOKEN_PATH
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.parameters import Parameters

BUSY_AFTER_THE_EFFECT = Fault(kind="errcode", path=TOKEN_PATH, errcode=-1, when="after", count=1)


async def stands_still_in_its_call(stage: Stage) -> tuple[StagedReplica, StagedReplica]:
    """The holder stops after its call was sent; the call lands, and nobody hears of it."""
    stage.wechat.parameters = Parameters(lifetimes_s=(LIFE_S,), generations=16)
    a = await stage.begin(Mode.CLASSIC)
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    a.door.pause()
    return a, stage.start("b")


@on_stage
async def test_a_late_writer_meets_the_token_of_its_successor(stage: Stage) -> None:
    a, b = await stands_still_in_its_call(stage)
    await stage.until(lambda: stage.mints() == 3, within_s=200)
    await stage.passes(1)
    successor = stage.token(b)
    a.door.resume()
    await stage.until(lambda: stage.events.refused_commits)
    await stage.passes(1)
    assert stage.token(a).version == stage.token(b).version == successor.version
    assert stage.stored().intents[0].outcome is IntentOutcome.REFUSED
    await stage.passes(320)
    assert stage.mints() <= 4
    assert not stage.stored().intents
    assert stage.dead_served() == []


@on_stage
async def test_a_late_writer_meets_a_successor_that_minted_nothing(stage: Stage) -> None:
    a, b = await stands_still_in_its_call(stage)
    stage.weather.wechat_away = True
    sent_at = stage.stored().intents[0].sent_at
    paused_at = stage.now()
    await stage.until(lambda: stage.events.tries_since(paused_at), within_s=200)
    a.door.resume()
    await stage.until(lambda: stage.events.refused_commits)
    assert stage.status(b).in_doubt_since == sent_at
    stage.weather.wechat_away = False
    await stage.until(lambda: stage.stored().committed and not stage.stored().intents, 200)
    await stage.passes(60)
    assert stage.mints() == 3
    assert stage.token(a).version == stage.token(b).version
    assert stage.dead_served() == []


@on_stage
async def test_a_successor_waits_until_the_open_call_can_no_longer_land(stage: Stage) -> None:
    """While the old token lives there is no hurry: two mints at once could drop it early."""
    await stands_still_in_its_call(stage)
    sent_at = stage.stored().intents[0].sent_at
    await stage.until(lambda: stage.mints() == 3, within_s=200)
    assert stage.ledger.issued()[-1].at > sent_at + stage.shop.policy.lands_within_s
    assert stage.probes() >= 1


@on_stage
async def test_a_pause_that_nobody_used_costs_nothing(stage: Stage) -> None:
    """The lease lapsed, but nobody was granted one since: the write is taken."""
    a = await stage.begin(Mode.CLASSIC)
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    a.door.pause()
    await stage.passes(40)
    a.door.resume()
    await stage.passes(60)
    assert stage.events.refused_commits == 0
    assert stage.mints() == 2
    assert not stage.stored().intents


@on_stage
async def test_busy_after_the_effect_is_an_unknown_outcome(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    stage.wechat.faults.add(BUSY_AFTER_THE_EFFECT)
    await stage.until(lambda: stage.mints() == 2, within_s=LIFE_S)
    await stage.passes(1)
    status = stage.status(a)
    assert status.in_doubt_since == stage.stored().intents[0].sent_at
    assert Alarm.IN_DOUBT in status.alarms
    await stage.until(lambda: stage.mints() == 3, within_s=200)
    await stage.passes(60)
    assert stage.mints() == 3
    assert stage.status(a).in_doubt_since is None
    assert len(stage.dead_served()) <= 1


@pytest.mark.parametrize("kind", ["disconnect", "garbage"])
@on_stage
async def test_an_answer_lost_or_unreadable_is_an_unknown_outcome(stage: Stage, kind: str) -> None:
    a = await stage.begin(Mode.CLASSIC)
    fault = Fault(kind="garbage" if kind == "garbage" else "disconnect", when="after", count=1)
    stage.wechat.faults.add(fault)
    await stage.until(lambda: stage.mints() == 2, within_s=LIFE_S)
    await stage.passes(1)
    assert stage.status(a).in_doubt_since is not None


@on_stage
async def test_a_token_minted_while_another_call_could_land_is_in_doubt_since_its_send(
    stage: Stage,
) -> None:
    """There was no live token left to wait with."""
    slot = stage.account(Mode.CLASSIC).slot
    stage.wechat.faults.add(BUSY_AFTER_THE_EFFECT)
    a = stage.start("a")
    with pytest.raises(NoLiveToken):
        await a.rotator.get(slot, wait_s=5.0)
    first = stage.stored().intents[0]
    await stage.until(lambda: stage.served(a), within_s=30)
    record = stage.stored().record
    assert record is not None
    assert record.fetched_at < first.lands_before
    assert stage.status(a).in_doubt_since == record.fetched_at
    assert stage.token(a).expires_at == record.fetched_at + 285
    await stage.passes(330)
    assert stage.mints() <= 3
    assert stage.status(a).in_doubt_since is None


@on_stage
async def test_stable_an_unknown_outcome_is_resolved_by_one_normal_fetch(stage: Stage) -> None:
    a = await stage.begin(Mode.STABLE)
    stage.wechat.faults.add(Fault(kind="errcode", errcode=-1, when="after", count=1))
    await stage.until(lambda: stage.mints() == 2, within_s=LIFE_S)
    began = stage.now()
    await stage.passes(60)
    assert stage.calls() == 3
    assert stage.mints() == 2
    assert stage.gaps(began) == stage.dead_served() == []
    assert stage.alive(stage.token(a))
