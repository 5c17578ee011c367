"""A seed's whole life: replicas, readers, a store, a WeChat, and the chaos among them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from tests.simulation.chance import Random, SeededRandomness
from tests.simulation.door import Weather
from tests.simulation.judge import Judge, JudgedStore
from tests.simulation.loop import SkewedClock, run
from tests.simulation.replica import SimulatedReplica
from token_service.plan import AccountPlan
from token_service.policy import Policy
from token_service.slot import Kind, Mode, Slot, SlotState
from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.faults import ForeignKind
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.parameters import Parameters

APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
STORM_S, CALM_S = 1800.0, 700.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a seed showed."""

    seed: int
    violations: tuple[str, ...]
    calls: int
    crashes: int


class World:
    """Built from a seed; `live` plays it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = Random(seed)
        mode = self.chance.choice([Mode.CLASSIC, Mode.CLASSIC, Mode.STABLE])
        overlap_is_kept = self.chance.random() < 0.6
        parameters = Parameters(
            lifetimes_s=(self.chance.choice([600, 900, 1800]),),
            generations=16 if overlap_is_kept else 2,
            forced_daily=10_000,
            forced_old_token="overlap" if overlap_is_kept else "dies_at_once",
            tokens_lost_on_kill=self.chance.random() < 0.5,
        )
        account = EmulatedAccount(appid=APPID, secret=SECRET)
        self.model = WeChatModel([account], parameters, seed)
        self.weather = Weather()
        self.judge = Judge(self.model.ledger, overlap_is_kept=overlap_is_kept)
        self.store = JudgedStore(SkewedClock(), SeededRandomness(f"{seed}/store"))
        self.store.judge, self.judge.store = self.judge, self.store
        slot = Slot(APPID, Kind.ACCESS_TOKEN, mode)
        self.plan = AccountPlan("shop", slot, Policy(mode=mode), lambda: SECRET)
        self.rotations = 0.1 if self.chance.random() < 0.7 else 0.0
        self.foreign = self.chance.random() < 0.4
        self.judge.others_kill = self.foreign
        self._born = 0
        self._crashes = 0
        self._older: dict[Slot, SlotState] = {}
        self.replicas = [self._start() for _ in range(self.chance.choice([1, 2, 3]))]

    async def live(self) -> Verdict:
        """The storm, then the calm in which everything must come right by itself."""
        loop = asyncio.get_running_loop()
        while loop.time() < STORM_S:
            await asyncio.sleep(self.chance.uniform(1.0, 60.0))
            await self._strike()
        self._calm_down()
        await asyncio.sleep(CALM_S)
        self.judge.converged({r.name: r.rotator.peek(self.plan.slot) for r in self.replicas})
        self.judge.bounded((STORM_S + CALM_S) / 60)
        for replica in self.replicas:
            await replica.crash()
        return Verdict(self.seed, tuple(self.judge.violations), self.judge.calls, self._crashes)

    def works(self, value: str) -> bool:
        """Use the token at WeChat, as a business call does."""
        answer = self.model.call("/cgi-bin/getcallbackip", value, self.judge.wall())
        return not answer.get("errcode")

    def _calm_down(self) -> None:
        vars(self.weather).update(vars(Weather()))
        for replica in self.replicas:
            replica.door.cut = False
            replica.door.resume()
        self.rotations = 0.0

    def _start(self) -> SimulatedReplica:
        self._born += 1
        return SimulatedReplica(self, f"replica-{self._born}")

    async def _strike(self) -> None:
        events = [
            self._change_weather,
            self._change_weather,
            self._crash_one,
            self._cut_one,
            self._pause_one,
            self._pause_one,  # twice: nothing else puts the fences to the test so often
            self._lose_store,
            self._jump_clock,
        ]
        if self.foreign:
            events.append(self._foreign_refresh)
        await self.chance.choice(events)()

    async def _change_weather(self) -> None:
        dice = self.chance.random
        self.weather.store_away = dice() < 0.1
        self.weather.store_fault = 0.1 if dice() < 0.3 else 0.0
        self.weather.store_slow = 0.1 if dice() < 0.3 else 0.0
        self.weather.wechat_away = dice() < 0.15
        self.weather.wechat_fault = 0.3 if dice() < 0.4 else 0.0

    async def _crash_one(self) -> None:
        victim = self.chance.choice(self.replicas)
        self.replicas.remove(victim)
        await victim.crash()
        self._crashes += 1
        await asyncio.sleep(self.chance.uniform(0.0, 20.0))
        self.replicas.append(self._start())

    async def _cut_one(self) -> None:
        victim = self.chance.choice(self.replicas)
        victim.door.cut = True
        await asyncio.sleep(self.chance.uniform(1.0, 60.0))
        victim.door.cut = False

    async def _pause_one(self) -> None:
        """A suspended machine, a long garbage collection: most telling in the middle of a call."""
        caller = await self.judge.next_call(timeout_s=60.0)
        calling = [replica for replica in self.replicas if replica.name == caller]
        victim = self.chance.choice(calling or self.replicas)
        await asyncio.sleep(self.chance.uniform(0.0, 0.1))
        victim.door.pause()
        asyncio.get_running_loop().call_later(self.chance.uniform(5.0, 400.0), victim.door.resume)

    async def _lose_store(self) -> None:
        """Emptied, or failed over to a replica that was a little late."""
        if self.chance.random() < 0.7:
            self._older = self.store.copy_states()
            return
        self.judge.lost_at = asyncio.get_running_loop().time()
        if self._older and self.chance.random() < 0.5:
            self.store.rewind(self._older)
        else:
            self.store.empty()
        self._older = {}

    async def _jump_clock(self) -> None:
        self.chance.choice(self.replicas).clock.skew_s += self.chance.uniform(-120, 120)

    async def _foreign_refresh(self) -> None:
        classic = self.plan.slot.mode is Mode.CLASSIC
        kind: ForeignKind = "classic" if classic else "stable_forced"
        self.model.foreign_refresh(APPID, self.judge.wall(), kind)


def live(seed: int) -> Verdict:
    """Play one seed, without a word in the log."""

    async def main() -> Verdict:
        return await World(seed).live()

    with _silence():
        return run(main())


@contextmanager
def _silence() -> Iterator[None]:
    configured = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**configured)
