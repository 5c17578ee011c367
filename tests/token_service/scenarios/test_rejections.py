"""Reports of dead tokens: one probe and one refresh, however many; a living one stays."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from tests.token_service.scenarios.replica import StagedReplica
from tests.token_service.scenarios.stage import Stage, on_stage
from token_service.policy import Limits, Policy
from token_service.served import NoLiveToken, RejectionOutcome
from token_service.slot import Mode
from token_service.upstream import PROBE_PATH
from zhongkong.emulator.faults import Fault

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


def killed(stage: Stage, *, minted_anew: bool = True) -> str:
    """The shop's token dies without a reason; its version. In stable mode it may come back."""
    stage.wechat.parameters = replace(stage.wechat.parameters, tokens_lost_on_kill=minted_anew)
    stage.token_dies()
    record = stage.stored().record
    assert record is not None
    return record.version


async def reported(replica: StagedReplica, stage: Stage, version: str) -> RejectionOutcome:
    return (await replica.rotator.reject(stage.shop.slot, version)).outcome


@BOTH_MODES
@on_stage
async def test_500_reports_of_one_dead_token_cost_one_probe_and_one_refresh(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    version = killed(stage)
    outcomes = await asyncio.gather(*(reported(a, stage, version) for _ in range(500)))
    assert set(outcomes) == {RejectionOutcome.REPLACED}
    assert (stage.probes(), stage.calls(), stage.mints()) == (1, 2, 2)
    assert stage.alive(stage.token(a))


@BOTH_MODES
@on_stage
async def test_500_reports_at_two_replicas_cost_no_more(stage: Stage, mode: Mode) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(1)
    version = killed(stage)
    reports = [reported(replica, stage, version) for replica in [a, b] * 250]
    outcomes = Counter(await asyncio.gather(*reports))
    await stage.passes(60)
    assert set(outcomes) <= {RejectionOutcome.REPLACED, RejectionOutcome.THROTTLED}
    assert (stage.probes(), stage.calls(), stage.mints()) == (1, 2, 2)


@BOTH_MODES
@on_stage
async def test_a_report_of_an_old_version_costs_nothing(stage: Stage, mode: Mode) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(1)
    old = killed(stage)
    await reported(a, stage, old)
    before = (stage.probes(), stage.calls())
    outcomes = await asyncio.gather(*(reported(r, stage, old) for r in [a, b] * 50))
    assert set(outcomes) == {RejectionOutcome.ALREADY_REPLACED}
    assert (stage.probes(), stage.calls()) == before


@BOTH_MODES
@on_stage
async def test_a_report_of_a_version_that_never_was_costs_nothing(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    rejection = await a.rotator.reject(stage.shop.slot, "0" * 24)
    assert rejection.outcome is RejectionOutcome.ALREADY_REPLACED
    assert rejection.served == stage.token(a)
    assert (stage.probes(), stage.calls()) == (0, 1)


@BOTH_MODES
@on_stage
async def test_1000_reports_of_a_living_token_cost_one_probe(stage: Stage, mode: Mode) -> None:
    a, b = await stage.begin(mode), stage.start("b")
    await stage.passes(1)
    version = stage.token(a).version
    await asyncio.gather(*(reported(r, stage, version) for r in [a, b] * 500))
    assert (stage.probes(), stage.calls()) == (1, 1)
    assert stage.token(a).version == version


@BOTH_MODES
@on_stage
async def test_a_minute_of_wrong_reports_costs_a_probe_every_10_s(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    version, outcomes = stage.token(a).version, set()
    for _ in range(1000):
        outcomes.add(await reported(a, stage, version))
        await stage.passes(0.06)
    assert outcomes == {RejectionOutcome.CONFIRMED_VALID}
    assert stage.probes() <= 7
    assert stage.calls() == 1


@BOTH_MODES
@on_stage
async def test_a_probe_that_finds_nothing_out_refreshes_nothing(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    stage.wechat.faults.add(Fault(kind="disconnect", path=PROBE_PATH))
    outcome = await reported(a, stage, stage.token(a).version)
    assert outcome is RejectionOutcome.UNVERIFIED
    assert stage.calls() == 1


@on_stage
async def test_a_report_while_anothers_probe_is_under_way_is_throttled(stage: Stage) -> None:
    a, b = await stage.begin(Mode.CLASSIC), stage.start("b")
    await stage.passes(1)
    version = stage.token(a).version
    first = asyncio.create_task(reported(a, stage, version))
    await stage.passes(0.05)
    assert await reported(b, stage, version) is RejectionOutcome.THROTTLED
    assert await first is RejectionOutcome.CONFIRMED_VALID


@on_stage
async def test_classic_evidence_needs_no_probe(stage: Stage) -> None:
    a = await stage.begin(Mode.CLASSIC)
    version = killed(stage)
    rejection = await a.rotator.reject(stage.shop.slot, version, evidence=True)
    assert rejection.outcome is RejectionOutcome.REPLACED
    assert (stage.probes(), stage.calls()) == (0, 2)


@on_stage
async def test_stable_evidence_that_a_fetch_disproves_by_another_token_needs_no_probe(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.STABLE)
    version = killed(stage)
    rejection = await a.rotator.reject(stage.shop.slot, version, evidence=True)
    assert rejection.outcome is RejectionOutcome.REPLACED
    assert (stage.probes(), stage.calls()) == (0, 2)
    assert stage.ledger.mints(by="forced") == 0


@pytest.mark.parametrize("evidence", [True, False])
@on_stage
async def test_stable_the_same_dead_token_again_is_probed_once_and_forced(
    stage: Stage, evidence: bool
) -> None:
    a = await stage.begin(Mode.STABLE)
    version = killed(stage, minted_anew=False)
    rejection = await a.rotator.reject(stage.shop.slot, version, evidence=evidence)
    assert rejection.outcome is RejectionOutcome.REPLACED
    assert stage.probes() == 1
    assert stage.calls() == 3
    assert stage.ledger.mints(by="forced") == 1
    assert stage.alive(stage.token(a))


@on_stage
async def test_stable_wrong_evidence_of_a_living_token_is_put_right_by_a_probe(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.STABLE)
    version = stage.token(a).version
    rejection = await a.rotator.reject(stage.shop.slot, version, evidence=True)
    assert rejection.outcome is RejectionOutcome.CONFIRMED_VALID
    assert stage.token(a).version == version
    assert stage.ledger.mints(by="forced") == 0


@on_stage
async def test_stable_wrong_evidence_twice_in_a_row_holds_nobody_up_and_blames_nobody(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.STABLE)
    version = stage.token(a).version
    for _ in range(2):
        asked_at = stage.now()
        rejection = await a.rotator.reject(stage.shop.slot, version, evidence=True)
        assert rejection.outcome is RejectionOutcome.CONFIRMED_VALID
        assert stage.now() - asked_at < 2
    assert stage.status(a).foreign_refreshes == 0


@on_stage
async def test_stable_a_second_forced_refresh_waits_30_s(stage: Stage) -> None:
    a = await stage.begin(Mode.STABLE)
    await reported(a, stage, killed(stage, minted_anew=False))
    forced_at = stage.stored().budget.last_forced_at
    assert forced_at is not None
    with pytest.raises(NoLiveToken) as caught:
        await reported(a, stage, killed(stage, minted_anew=False))
    assert caught.value.retry_after_s <= 30
    await stage.until(lambda: stage.served(a), within_s=31)
    assert stage.ledger.mints(by="forced") == 2
    assert stage.now() >= forced_at + 30


@on_stage
async def test_stable_forced_refreshes_keep_to_their_budget(stage: Stage) -> None:
    limits = Limits(forced=2, forced_reserve=1)
    a = await stage.begin(Mode.STABLE, Policy(mode=Mode.STABLE, limits=limits))
    await reported(a, stage, killed(stage, minted_anew=False))
    with pytest.raises(NoLiveToken):
        await reported(a, stage, killed(stage, minted_anew=False))
    await stage.passes(300)
    assert stage.ledger.mints(by="forced") == 1


@BOTH_MODES
@on_stage
async def test_a_dead_token_is_served_no_more_once_a_probe_said_so(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    stage.wechat.faults.add(Fault(kind="errcode", path="/cgi-bin/*token", errcode=45009))
    with pytest.raises(NoLiveToken):
        await reported(a, stage, killed(stage))
    assert stage.served(a) is None
