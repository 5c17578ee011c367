"""A classic token in doubt: probed at once and again, replaced in time, believed while proven."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import Stage, on_stage
from token_service.served import NoLiveToken
from token_service.slot import Mode, Verdict
from token_service.upstream import TOKEN_PATH
from zhongkong.emulator.faults import Fault

ENDS_UNSEEN = Fault(kind="disconnect", path=TOKEN_PATH, when="before", count=1)
MINTS_UNSEEN = Fault(kind="disconnect", path=TOKEN_PATH, when="after", count=1)
REFUSES = Fault(kind="errcode", path=TOKEN_PATH, errcode=45009)


async def in_doubt(
    stage: Stage, fault: Fault, overlap_s: float = 300
) -> tuple[StagedReplica, float]:
    """A rotation early in a token's life ends unseen. The replica, and since when it doubts."""
    stage.wechat.parameters = replace(stage.wechat.parameters, generations=16, overlap_s=overlap_s)
    a = await stage.begin(Mode.CLASSIC)
    await stage.passes(20)
    stage.wechat.faults.add(fault)
    with pytest.raises(NoLiveToken, match="no answer"):
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
    await stage.passes(0.5)
    since = stage.status(a).in_doubt_since
    assert since is not None
    return a, since


@on_stage
async def test_the_early_end_is_told_to_readers_at_once(stage: Stage) -> None:
    a, since = await in_doubt(stage, MINTS_UNSEEN)
    b = stage.start("b")
    await stage.passes(1)
    assert stage.token(a).expires_at == stage.token(b).expires_at == since + 285


@on_stage
async def test_a_token_in_doubt_is_probed_at_once_and_every_30_s(stage: Stage) -> None:
    _, since = await in_doubt(stage, MINTS_UNSEEN)
    stage.start("b")
    await stage.passes(125)
    offsets = [at - since for at, _ in stage.events.probes]
    assert offsets == pytest.approx([0.3, 30, 60, 90, 120], abs=2)


@on_stage
async def test_one_found_dead_is_replaced_now(stage: Stage) -> None:
    a, since = await in_doubt(stage, MINTS_UNSEEN, overlap_s=0)
    at = await stage.until(lambda: stage.mints() == 3)
    assert at - since < 2
    await stage.passes(2)
    assert stage.alive(stage.token(a))


@on_stage
async def test_one_found_alive_is_replaced_at_half_of_what_is_left(stage: Stage) -> None:
    a, since = await in_doubt(stage, MINTS_UNSEEN)
    at = await stage.until(lambda: stage.mints() == 3, within_s=285)
    assert at - since == pytest.approx(285 / 2, abs=2)
    assert stage.dead_served() == []
    await stage.passes(1)
    assert stage.status(a).in_doubt_since is None


@on_stage
async def test_mints_in_doubt_are_at_least_10_s_apart(stage: Stage) -> None:
    _, since = await in_doubt(stage, ENDS_UNSEEN)
    stage.wechat.faults.add(replace(ENDS_UNSEEN, count=None))
    await stage.passes(500)
    times = [each.at for each in stage.events.tries_since(since + 1)]
    assert len(times) > 5
    assert min(later - sooner for sooner, later in pairwise(times)) >= 10


@on_stage
async def test_a_probe_that_finds_it_alive_after_all_ends_the_doubt(stage: Stage) -> None:
    """Nothing was minted, and nothing can be: the token has its own end again."""
    a, since = await in_doubt(stage, ENDS_UNSEEN)
    stage.wechat.faults.add(REFUSES)
    before = stage.stored().record
    assert before is not None
    at = await stage.until(lambda: stage.status(a).in_doubt_since is None, within_s=400)
    assert at - since >= 315
    assert stage.token(a).expires_at == before.expires_at
    assert stage.gaps(since) == []


@on_stage
async def test_while_every_mint_fails_it_is_served_as_long_as_probes_find_it_alive(
    stage: Stage,
) -> None:
    a, since = await in_doubt(stage, ENDS_UNSEEN)
    stage.wechat.faults.add(replace(ENDS_UNSEEN, count=None))
    await stage.passes(since + 500 - stage.now())
    assert stage.gaps(since) == []
    assert stage.token(a).expires_at > since + 285
    assert stage.token(a).expires_at <= stage.now() + 10


@on_stage
async def test_a_proof_of_life_holds_for_10_s_and_no_longer(stage: Stage) -> None:
    _, since = await in_doubt(stage, ENDS_UNSEEN)
    stage.wechat.faults.add(replace(ENDS_UNSEEN, count=None))
    await stage.passes(since + 400 - stage.now())
    stage.token_dies()
    died_at = stage.now()
    await stage.passes(60)
    assert {reading.at for reading in stage.dead_served() if reading.at > died_at + 10} == set()
    assert stage.events.probes[-1][1] is Verdict.DEAD


@on_stage
async def test_without_a_proof_it_is_served_to_its_early_end_only(stage: Stage) -> None:
    """Neither mints nor probes come through."""
    a, since = await in_doubt(stage, MINTS_UNSEEN)
    stage.weather.wechat_away = True
    await stage.passes(since + 284 - stage.now())
    assert stage.served(a) is not None
    await stage.passes(2)
    assert stage.served(a) is None
    assert stage.dead_served() == []


@on_stage
async def test_a_stable_token_knows_no_doubt_from_a_normal_call(stage: Stage) -> None:
    a = await stage.begin(Mode.STABLE)
    stage.wechat.faults.add(Fault(kind="disconnect", when="after"))
    await stage.passes(850)
    assert stage.status(a).in_doubt_since is None
    assert stage.probes() == 0
