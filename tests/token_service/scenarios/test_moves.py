"""A store is copied to another one while its service runs, and another service starts there."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.chance import SeededRandomness
from tests.simulation.loop import SkewedClock
from tests.token_service.scenarios.moves import FLIGHTS_S, moved
from tests.token_service.scenarios.stage import LIFE_S, Stage, on_stage
from token_service.served import Alarm, NoLiveToken
from token_service.slot import Mode
from token_service.stores.copy_hold import CopyRefused, End
from token_service.stores.copying import StoreCopy
from token_service.stores.memory import MemoryTokenStore
from zhongkong.emulator.faults import Delay, Fault

BOTH_MODES = pytest.mark.parametrize("mode", list(Mode))


def answers_late(path: str, seconds: float) -> Fault:
    """Calls take effect at once and are answered so much later."""
    return Fault(kind="latency", path=path, when="after", delay=Delay(low_s=seconds))


@BOTH_MODES
@on_stage
async def test_the_new_service_goes_on_with_the_same_token_and_no_call(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    before, began = stage.token(a), stage.now()
    await stage.passes(10)

    assert (await moved(stage)).tokens == 1
    b = stage.start("b")
    await stage.passes(10)

    assert stage.token(b) == stage.token(a) == before
    assert (stage.calls(), stage.probes()) == (1, 0)
    assert stage.gaps(began + 11) == []


@BOTH_MODES
@on_stage
async def test_of_both_services_the_new_one_alone_refreshes(stage: Stage, mode: Mode) -> None:
    """The old one, forgotten for an hour, hands out what lives, then says why there is none."""
    a = await stage.begin(mode)
    await moved(stage)
    b = stage.start("b")
    await stage.passes(3600)

    assert stage.mints() == stage.calls() == 1 + 3600 // (LIFE_S - 240)
    assert stage.alive(stage.token(b))
    assert stage.served(a) is None
    with pytest.raises(NoLiveToken, match=r"was copied to another one\. Ask the service"):
        await a.rotator.get(stage.shop.slot, wait_s=5)
    assert stage.dead_served() == []
    assert [reading for reading in stage.gaps(10) if reading.replica == "b"] == []


@BOTH_MODES
@on_stage
async def test_a_frozen_service_rings_and_says_what_it_waits_for(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    await moved(stage)
    await stage.until(lambda: Alarm.STORE_FROZEN in stage.status(a).alarms, within_s=1)
    assert a.rotator.freeze is not None
    assert a.rotator.freeze.other == "the new one"
    await stage.passes(LIFE_S)
    status = stage.status(a)
    assert status.waiting_for == "store_frozen"
    assert {Alarm.STORE_FROZEN, Alarm.NO_LIVE_TOKEN} <= set(status.alarms)
    assert stage.calls() == 1


@BOTH_MODES
@on_stage
async def test_a_report_of_a_dead_token_is_probed_and_refused_at_once_on_a_frozen_store(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    version = stage.token(a).version
    await moved(stage)
    await stage.passes(1)
    confirmed = await a.rotator.reject(stage.shop.slot, version)
    assert confirmed.outcome == "confirmed_valid"
    await stage.passes(20)
    stage.token_dies()
    asked_at = stage.now()
    with pytest.raises(NoLiveToken, match="Ask the service that runs there") as refused:
        await a.rotator.reject(stage.shop.slot, version)
    assert stage.now() - asked_at < 1.0
    assert refused.value.retry_after_s == 5.0
    assert (stage.probes(), stage.calls()) == (2, 1)


@BOTH_MODES
@on_stage
async def test_a_rotation_is_refused_on_a_frozen_store(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    await moved(stage)
    with pytest.raises(NoLiveToken, match="There is no new token"):
        await a.rotator.rotate(stage.shop.slot, reason="a leak")
    assert stage.calls() == 1
    assert stage.alive(stage.token(a))


@BOTH_MODES
@on_stage
async def test_the_dead_token_is_replaced_by_the_new_service(stage: Stage, mode: Mode) -> None:
    await stage.begin(mode)
    await moved(stage)
    b = stage.start("b")
    await stage.passes(5)
    stage.token_dies()
    rejection = await b.rotator.reject(stage.shop.slot, stage.token(b).version)
    assert rejection.outcome == "replaced"
    assert stage.alive(rejection.served)


@BOTH_MODES
@on_stage
async def test_a_move_in_the_middle_of_a_refresh_waits_for_its_token(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    before = stage.token(a)
    slow = answers_late("/cgi-bin/*token", 6.0)
    stage.wechat.faults.add(slow)
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    copied = await moved(stage)
    b = stage.start("b")
    await stage.passes(5)
    assert copied.calls == 0
    assert stage.token(b).version != before.version
    assert stage.alive(stage.token(b))
    assert stage.calls() == stage.mints() == 2


@on_stage
async def test_a_holder_that_is_lost_in_its_call_costs_the_new_service_one_mint(
    stage: Stage,
) -> None:
    """As after any crash: the token is in doubt, and nothing dead is handed out."""
    a = await stage.begin(Mode.CLASSIC)
    held = answers_late("/cgi-bin/token", 4.0)
    stage.wechat.faults.add(held)
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    await stage.passes(1)
    await stage.kill(a)
    stage.wechat.faults.clear()
    began = stage.now()
    copied = await moved(stage)
    assert copied.calls == 1
    assert stage.now() - began == pytest.approx(15, abs=2)
    b = stage.start("b")
    await stage.until(lambda: stage.mints() == 3, within_s=400)
    await stage.passes(60)
    assert stage.alive(stage.token(b))
    assert stage.dead_served() == []
    assert stage.mints() == 3


@BOTH_MODES
@on_stage
async def test_a_store_that_is_thawed_goes_on_as_before(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    old = stage.store
    await moved(stage)
    await stage.passes(LIFE_S + 10)
    assert stage.served(a) is None
    await old.take_back()
    await stage.until(lambda: stage.served(a), within_s=3)
    assert stage.alive(stage.token(a))
    assert Alarm.STORE_FROZEN not in stage.status(a).alarms
    assert a.rotator.freeze is None


@BOTH_MODES
@on_stage
async def test_a_service_that_starts_on_a_half_filled_store_mints_nothing_before_it_is_whole(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    before = stage.token(a)
    held = asyncio.Event()
    new = MemoryTokenStore(SkewedClock(), SeededRandomness("new"))
    take_over = new.take_over

    async def halting(*arguments: object) -> object:
        await held.wait()
        return await take_over(*arguments)  # type: ignore[arg-type]

    new.take_over = halting  # type: ignore[assignment, method-assign]
    ends = End(stage.store, "the old one"), End(new, "the new one")
    copy = StoreCopy(*ends, name="copy-1", flights_s=FLIGHTS_S, clock=SkewedClock())
    copying = asyncio.create_task(copy.run())
    await stage.passes(1)
    stage.store = new
    b = stage.start("b")
    await stage.passes(5)
    assert stage.served(b) is None
    assert stage.status(b).waiting_for == "store_frozen"
    held.set()
    await copying
    await stage.until(lambda: stage.served(b), within_s=3)
    assert stage.token(b) == before
    assert stage.calls() == 1


@BOTH_MODES
@on_stage
async def test_a_move_that_is_refused_disturbs_nothing(stage: Stage, mode: Mode) -> None:
    a = await stage.begin(mode)
    slow = answers_late("/cgi-bin/*token", 8.0)
    stage.wechat.faults.add(slow)
    await stage.until(lambda: stage.calls_under_way, within_s=LIFE_S)
    began = stage.now()
    with pytest.raises(CopyRefused, match="does not end"):
        await moved(stage, flights_s=1.0)
    stage.wechat.faults.clear()
    await stage.passes(2 * LIFE_S)
    assert stage.alive(stage.token(a))
    assert stage.gaps(began) == []
    assert a.rotator.freeze is None


@BOTH_MODES
@on_stage
async def test_a_process_that_restarts_on_the_old_store_mints_nothing(
    stage: Stage, mode: Mode
) -> None:
    a = await stage.begin(mode)
    before, old = stage.token(a), stage.store
    await moved(stage)
    b = stage.start("b")
    await stage.kill(a)
    stage.store = old
    again = stage.start("a again")
    await stage.passes(10)
    assert stage.token(again) == before
    await stage.passes(LIFE_S)
    assert stage.served(again) is None
    assert stage.alive(stage.token(b))
    assert stage.mints() == stage.calls() == 2
    assert stage.dead_served() == []


@on_stage
async def test_a_frozen_service_whose_store_is_away_fetches_nothing_on_its_own(
    stage: Stage,
) -> None:
    a = await stage.begin(Mode.STABLE)
    await moved(stage)
    await stage.passes(2)
    stage.weather.store_away = True
    await stage.passes(LIFE_S + 60)
    assert stage.served(a) is None
    assert stage.calls() == 1
