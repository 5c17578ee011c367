"""A stage for one scene: replicas, a store and WeChat on virtual time, under the ledger's eye.

A scene is a coroutine that `on_stage` turns into a test. It starts replicas, lets time pass, lets
things go wrong, and asks what was served, minted and told.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from structlog.testing import capture_logs

from tests.simulation.chance import SeededRandomness
from tests.simulation.door import Weather
from tests.simulation.loop import EPOCH, SkewedClock, run
from tests.token_service.scenarios.events import Events, Reading
from tests.token_service.scenarios.replica import StagedReplica
from token_service.plan import AccountPlan
from token_service.policy import Policy
from token_service.slot import Kind, Mode, Slot
from token_service.stores.memory import MemoryTokenStore
from token_service.upstream import PROBE_PATH, STABLE_TOKEN_PATH, TOKEN_PATH
from zhongkong.emulator.account import AccountKind, EmulatedAccount
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from token_service.served import Served, SlotStatus
    from token_service.slot import SlotState

P = ParamSpec("P")

LIFE_S = 900
"""How long a token of the stage lives, unless a scene says otherwise."""

_READ_EVERY_S = 1.0
_POLL_S = 0.05


class Stage:
    """`shop` is the account that most scenes are about; it is open in the mode asked for first."""

    def __init__(self, logs: list[MutableMapping[str, Any]]) -> None:
        self.wechat = WeChatModel(parameters=Parameters(lifetimes_s=(LIFE_S,)), seed=1)
        self.ledger = self.wechat.ledger
        self.weather = Weather()
        self.store = MemoryTokenStore(SkewedClock(), SeededRandomness("store"))
        self.events = Events(self.now)
        self.logs = logs
        self.secrets: dict[str, str] = {}
        self.plans: list[AccountPlan] = []
        self.replicas: list[StagedReplica] = []
        self.readings: list[Reading] = []
        self.calls_under_way = self.most_calls_at_once = 0

    def now(self) -> float:
        """WeChat's clock, and the store's."""
        return EPOCH + asyncio.get_running_loop().time()

    def account(
        self,
        mode: Mode,
        name: str = "shop",
        policy: Policy | None = None,
        kind: AccountKind = AccountKind.VERIFIED,
    ) -> AccountPlan:
        """Open an account at WeChat, for the replicas that start after."""
        appid, secret = f"wx{len(self.plans):016x}", f"{len(self.plans):032x}"
        self.wechat.platform.add_account(EmulatedAccount(appid=appid, secret=secret, kind=kind))
        self.secrets[name] = secret
        slot = Slot(appid, Kind.ACCESS_TOKEN, mode)
        plan = AccountPlan(name, slot, policy or Policy(mode=mode), lambda: self.secrets[name])
        self.plans.append(plan)
        return plan

    def start(self, name: str, address: str = "192.0.2.1") -> StagedReplica:
        """Begin a replica with the accounts opened so far."""
        replica = StagedReplica(self, name, address, self.plans)
        self.replicas.append(replica)
        return replica

    async def kill(self, *replicas: StagedReplica) -> None:
        for replica in replicas:
            self.replicas.remove(replica)
            await replica.kill()

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(
        self, happened: Callable[[], object], within_s: float = 60.0, every_s: float = _POLL_S
    ) -> float:
        """Let time pass until it happened; the time by then. Fails when it doesn't."""
        deadline = self.now() + within_s
        while not happened():
            assert self.now() < deadline, f"it didn't happen within {within_s} s"
            await asyncio.sleep(every_s)
        return self.now()

    async def begin(self, mode: Mode, policy: Policy | None = None) -> StagedReplica:
        """The usual first act: one account, one replica, which has its first token."""
        plan = self.account(mode, policy=policy)
        replica = self.start("a")
        await replica.rotator.get(plan.slot, wait_s=10.0)
        return replica

    @property
    def shop(self) -> AccountPlan:
        return self.plans[0]

    def served(self, replica: StagedReplica) -> Served | None:
        """The shop's token, as a reader of that replica gets it."""
        return replica.rotator.peek(self.shop.slot)

    def token(self, replica: StagedReplica) -> Served:
        """The same, where there has to be one."""
        served = self.served(replica)
        assert served is not None
        return served

    def status(self, replica: StagedReplica, plan: AccountPlan | None = None) -> SlotStatus:
        return replica.rotator.status((plan or self.shop).slot)

    def stored(self, plan: AccountPlan | None = None) -> SlotState:
        """What the store holds of a slot."""
        return self.store._state((plan or self.shop).slot)

    def token_dies(self) -> None:
        """WeChat drops the shop's token, and tells nobody why."""
        classic = self.shop.slot.mode is Mode.CLASSIC
        self.wechat.console.kill_token(
            self.shop.slot.appid, self.now(), "classic" if classic else "stable"
        )

    def alive(self, served: Served) -> bool:
        """Whether WeChat takes this token now."""
        return self.ledger.alive(served.value, self.now())

    def calls(self, plan: AccountPlan | None = None) -> int:
        """Token calls that reached WeChat."""
        appid = plan.slot.appid if plan else None
        return self.ledger.calls(TOKEN_PATH, appid) + self.ledger.calls(STABLE_TOKEN_PATH, appid)

    def probes(self) -> int:
        """Probes that reached WeChat."""
        return self.ledger.calls(PROBE_PATH)

    def mints(self) -> int:
        """Tokens made for us."""
        return self.ledger.mints(by="client") + self.ledger.mints(by="forced")

    def dead_served(self, since: float = 0.0) -> list[Reading]:
        """Readings of a token that WeChat refused at that moment."""
        return [r for r in self.readings if r.version and not r.alive and r.at >= since]

    def gaps(self, since: float = 0.0) -> list[Reading]:
        """Readings of nothing."""
        return [r for r in self.readings if r.version is None and r.at >= since]

    async def read(self) -> None:
        """A reader that asks every replica, every second."""
        while True:
            await asyncio.sleep(_READ_EVERY_S)
            for replica in self.replicas:
                for plan in () if replica.door.paused else self.plans:
                    served = replica.rotator.peek(plan.slot)
                    version = served.version if served else None
                    alive = served is not None and self.alive(served)
                    self.readings.append(Reading(self.now(), replica.name, version, alive))


def on_stage(scene: Callable[Concatenate[Stage, P], Awaitable[None]]) -> Callable[P, None]:
    """Make a test of a scene. Whatever it is about, no turn may crash."""

    @wraps(scene)
    def test(*arguments: P.args, **cases: P.kwargs) -> None:
        async def play(logs: list[MutableMapping[str, Any]]) -> None:
            stage = Stage(logs)
            reader = asyncio.create_task(stage.read())
            try:
                await scene(stage, *arguments, **cases)
            finally:
                reader.cancel()
                await stage.kill(*stage.replicas)
            assert not stage.events.crashes, stage.events.crashes

        with capture_logs() as logs:
            run(play(logs))

    signature = inspect.signature(scene)
    parameters = list(signature.parameters.values())[1:]
    vars(test)["__signature__"] = signature.replace(parameters=parameters)
    del vars(test)["__wrapped__"]
    return test
