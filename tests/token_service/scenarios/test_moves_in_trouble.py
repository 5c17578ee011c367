"""A move to another store, slept through, broken off, forgotten, taken back, or misreported to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.chance import SeededRandomness
from tests.simulation.loop import SkewedClock
from tests.token_service.scenarios.moves import FLIGHTS_S, moved
from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.served import Alarm, NoLiveToken, RejectionOutcome
from token_service.slot import Mode
from token_service.stores.copy_hold import End
from token_service.stores.copying import StoreCopy
from token_service.stores.memory import MemoryTokenStore
from zhongkong.runtime.storage import StoreUnavailable

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


@BOTH_MODES
@on_stage
async def test_a_holder_that_slept_through_the_copy_sends_nothing(stage: Stage, mode: Mode) -> None:
    """It was granted the right to mint just before, and wakes when another service has it."""
    a = await stage.begin(mode)
    old, update = stage.store, stage.store._update

    async def falls_asleep(*arguments: Any) -> Any:
        result = await update(*arguments)
        if stage.stored().lease is not None:
            a.door.pause()
            old._update = update  # type: ignore[method-assign]
        return result

    old._update = falls_asleep  # type: ignore[assignment, method-assign]
    await stage.until(lambda: a.door.paused, within_s=LIFE_S)
    await moved(stage)
    b = stage.start("b")
    await stage.until(lambda: stage.mints() == 2, within_s=60)

    a.door.resume()
    await stage.passes(400)

    assert stage.calls() == stage.mints() == 2
    assert stage.alive(stage.token(b))
    assert stage.dead_served() == []


@BOTH_MODES
@on_stage
async def test_wrong_evidence_does_not_take_the_token_from_a_frozen_service(
    stage: Stage, mode: Mode
) -> None:
    """Some paths refuse every token. Elsewhere a fetch shows it, which can't be made here."""
    a = await stage.begin(mode)
    before = stage.token(a)
    await moved(stage)
    await stage.passes(1)

    rejection = await a.rotator.reject(stage.shop.slot, before.version, evidence=True)

    assert rejection.outcome is RejectionOutcome.CONFIRMED_VALID
    assert rejection.served == before == stage.token(a)
    assert (stage.probes(), stage.calls()) == (1, 1)


@BOTH_MODES
@on_stage
async def test_evidence_of_a_death_is_believed_after_a_probe_on_a_frozen_store(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    version = stage.token(a).version
    await moved(stage)
    await stage.passes(1)
    stage.token_dies()
    with pytest.raises(NoLiveToken, match="Ask the service that runs there"):
        await a.rotator.reject(stage.shop.slot, version, evidence=True)
    await stage.passes(60)
    assert stage.served(a) is None
    assert (stage.probes(), stage.calls()) == (1, 1)


@BOTH_MODES
@on_stage
async def test_a_half_filled_store_gives_nobody_a_token(stage: Stage, mode: Mode) -> None:
    """The copy broke off, and the old service went on: what was written grows old unseen."""
    a = await stage.begin(mode)
    new = MemoryTokenStore(SkewedClock(), SeededRandomness("new"))
    revoke = new.revoke

    async def is_away(*_arguments: object) -> float:
        raise StoreUnavailable("away")

    new.revoke = is_away  # type: ignore[assignment, method-assign]
    await stage.store.revoke("orders", stage.now())
    ends = End(stage.store, "the old one"), End(new, "the new one")
    with pytest.raises(StoreUnavailable):
        await StoreCopy(*ends, name="copy-1", flights_s=FLIGHTS_S, clock=SkewedClock()).run()
    assert await new.slots() == {stage.shop.slot}
    new.revoke = revoke  # type: ignore[method-assign]
    stage.store = new
    b = stage.start("b")
    await stage.passes(10)

    assert stage.served(b) is None
    with pytest.raises(NoLiveToken, match="is not whole yet"):
        await b.rotator.get(stage.shop.slot, wait_s=5)
    assert {Alarm.STORE_FROZEN, Alarm.NO_LIVE_TOKEN} <= set(stage.status(b).alarms)
    assert stage.served(a) is not None

    await StoreCopy(*ends, name="copy-2", flights_s=FLIGHTS_S, clock=SkewedClock()).run()
    await stage.until(lambda: stage.served(b), within_s=1)
    assert stage.token(b) == stage.token(a)
    assert stage.calls() == 1


@BOTH_MODES
@on_stage
async def test_the_way_back_hands_out_nothing_that_the_new_service_ended(
    stage: Stage, mode: Mode
) -> None:
    """A client made the new service mint; soon after, the old one is taken back into use."""
    a = await stage.begin(mode)
    old = stage.store
    await moved(stage)
    b = stage.start("b")
    await stage.passes(60)
    await b.rotator.rotate(stage.shop.slot, reason="a leak")
    await stage.passes(30)
    await stage.kill(b)
    began = stage.now()

    await old.take_back()
    await stage.passes(600)

    assert stage.dead_served(began) == []
    assert stage.alive(stage.token(a))
    assert Alarm.IN_DOUBT not in stage.status(a).alarms
    assert stage.calls() <= 2 + 2  # the first, the rotation, the doubt's, and a planned one


@BOTH_MODES
@on_stage
async def test_the_way_back_is_felt_by_nobody_where_the_new_service_did_nothing(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    old, began = stage.store, stage.now()
    await moved(stage)
    b = stage.start("b")
    await stage.passes(60)
    await stage.kill(b)
    await old.take_back()
    await stage.passes(400)
    assert stage.gaps(began + 1) == stage.dead_served() == []
    assert stage.served(a) is not None
    assert stage.calls() == 2


@BOTH_MODES
@on_stage
async def test_a_forgotten_service_does_not_keep_its_store_busy(stage: Stage, mode: Mode) -> None:
    """Its tokens are overdue for hours; that somebody thaws the store it hears in time."""
    a = await stage.begin(mode)
    old, reads = stage.store, 0
    snapshot = old.snapshot

    async def counted(*arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return await snapshot(*arguments)

    await moved(stage)
    await stage.passes(LIFE_S)
    old.snapshot = counted  # type: ignore[assignment, method-assign]
    await stage.passes(3600)
    assert reads <= 20
    await old.take_back()
    await stage.until(lambda: stage.served(a), within_s=1)
