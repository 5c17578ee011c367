"""A crash, a pause and bad weather, as a replica's doors carry them out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.chance import Random, SeededRandomness
from tests.simulation.door import Door, Weather
from tests.simulation.judge import Judge, JudgedStore
from tests.simulation.loop import SkewedClock, run
from tests.simulation.store_door import StoreDoor
from tests.simulation.wechat_door import WeChatDoor
from token_service.outcome import Minted, Unknown, Unsent
from token_service.plan import AccountPlan
from token_service.policy import Policy
from token_service.slot import Call, Kind, Mode, Slot, Verdict
from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.model import WeChatModel
from zhongkong.runtime.storage import StoreUnavailable

APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
SLOT = Slot(APPID, Kind.ACCESS_TOKEN, Mode.CLASSIC)
PLAN = AccountPlan("shop", SLOT, Policy(mode=Mode.CLASSIC), lambda: SECRET)


class Doorstep:
    """One replica's doors, before a store and a WeChat."""

    def __init__(self) -> None:
        self.model = WeChatModel([EmulatedAccount(appid=APPID, secret=SECRET)])
        self.judge = Judge(self.model.ledger, overlap_is_kept=True)
        self.inner = JudgedStore(SkewedClock(), SeededRandomness("store"))
        self.inner.judge, self.judge.store = self.judge, self.inner
        self.door, self.weather = Door(), Weather()
        self.store = StoreDoor(self.inner, self.door, self.weather, Random(1))
        self.wechat = WeChatDoor(
            self.model, self.door, self.weather, Random(1), self.judge, "a", "192.0.2.1"
        )

    @property
    def mints(self) -> int:
        return self.model.ledger.mints()

    def fetch(self) -> asyncio.Task[object]:
        return asyncio.create_task(self.wechat.fetch(PLAN, Call.CLASSIC, deadline_s=10.0))

    def acquire(self) -> asyncio.Task[object]:
        return asyncio.create_task(self.store.acquire(SLOT, "a", floor=0, ttl_s=15.0))

    def lease(self) -> object:
        return self.inner._state(SLOT).lease


def at_the_door(scene: Callable[[Doorstep], Awaitable[None]]) -> Callable[[], None]:
    def test() -> None:
        async def play() -> None:
            await scene(Doorstep())

        run(play())

    test.__name__ = test.__qualname__ = scene.__name__
    return test


@at_the_door
async def test_a_call_mints_and_a_probe_finds_the_token_alive(step: Doorstep) -> None:
    outcome = await step.fetch()
    assert isinstance(outcome, Minted)
    assert await step.wechat.probe(PLAN, outcome.value) is Verdict.ALIVE
    assert await step.wechat.probe(PLAN, "never issued") is Verdict.DEAD


@at_the_door
async def test_a_crash_in_a_call_leaves_its_effect_at_wechat_and_none_in_the_store(
    step: Doorstep,
) -> None:
    async def refresh() -> None:
        try:
            await step.fetch()
        finally:
            await step.store.acquire(SLOT, "a", floor=0, ttl_s=15.0)

    refreshing = asyncio.create_task(refresh())
    await asyncio.sleep(0.02)
    assert step.mints == 0
    step.door.open = False
    refreshing.cancel()
    await asyncio.gather(refreshing, return_exceptions=True)
    await asyncio.sleep(15)
    assert step.mints == 1
    assert step.lease() is None


@at_the_door
async def test_nothing_passes_a_closed_door(step: Doorstep) -> None:
    step.door.open = False
    for task in (step.fetch(), step.acquire()):
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(15)
    assert step.mints == 0
    assert step.lease() is None


@at_the_door
async def test_a_paused_replica_goes_on_where_it_stood(step: Doorstep) -> None:
    step.door.pause()
    acquiring = step.acquire()
    await asyncio.sleep(100)
    assert not acquiring.done()
    step.door.resume()
    assert await acquiring is not None


@at_the_door
async def test_a_write_lost_on_the_way_back_has_taken_effect(step: Doorstep) -> None:
    step.weather.store_fault = 1.0
    with pytest.raises(StoreUnavailable, match="on the way there"):
        await step.acquire()
    assert step.lease() is None
    step.weather.store_fault = 0.0
    writing = step.acquire()
    await asyncio.sleep(0.0015)
    step.weather.store_fault = 1.0
    with pytest.raises(StoreUnavailable, match="on the way back"):
        await writing
    assert step.lease() is not None


@at_the_door
async def test_a_cut_concerns_one_replica_and_weather_all(step: Doorstep) -> None:
    neighbour = StoreDoor(step.inner, Door(), step.weather, Random(2))
    step.door.cut = True
    with pytest.raises(StoreUnavailable):
        await step.store.snapshot(SLOT)
    await neighbour.snapshot(SLOT)
    step.weather.store_away = True
    with pytest.raises(StoreUnavailable):
        await neighbour.snapshot(SLOT)


@at_the_door
async def test_an_absent_wechat_is_provably_not_called(step: Doorstep) -> None:
    step.weather.wechat_away = True
    assert isinstance(await step.fetch(), Unsent)
    assert await step.wechat.probe(PLAN, "any") is Verdict.INCONCLUSIVE
    assert step.model.ledger.calls() == 0


@at_the_door
async def test_bad_weather_hides_effects(step: Doorstep) -> None:
    """Some calls that end unseen have minted."""
    step.weather.wechat_fault = 0.3
    outcomes = [await step.fetch() for _ in range(60)]
    await asyncio.sleep(15)
    seen = sum(isinstance(outcome, Minted) for outcome in outcomes)
    assert {type(outcome) for outcome in outcomes} == {Minted, Unknown, Unsent}
    assert seen < step.mints < 60
