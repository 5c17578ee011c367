"""Several accounts at one emulated WeChat, and workers for them, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from menu_worker.account_state import AccountState
from menu_worker.desired import Desired, LoadedMenus
from menu_worker.drift import Behaviour
from menu_worker.findings import Violation
from menu_worker.fleet import Conduct, Fleet
from menu_worker.guards import Policy
from menu_worker.menu import Button, Menu
from menu_worker.normal_form import live_of
from menu_worker.platform import CREATE, GET
from menu_worker.quota import limits
from menu_worker.steps import ConditionalStrategy
from menu_worker.store.base import Lease, Standing, Verified
from menu_worker.store.memory import MemoryMenuStore
from menu_worker.worker import Worker
from tests.emulator.platforms import account, platform
from tests.simulation import loop
from tests.simulation.chance import SeededRandomness
from tests.simulation.loop import SkewedClock
from zhongkong.emulator.model import WeChatModel
from zhongkong.runtime.clock import Clock
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.runtime.tasks import TaskOwner
from zhongkong.wechat.errors import NotSent, NotSentReason, error_for
from zhongkong.wechat.limits import REAL, DailyQuotas

SECRET = "5ec2e7" + "a" * 26
BUY = Menu((Button("买入", "click", (("key", "BUY_IN"),)),))
SELL = Menu((Button("卖出", "click", (("key", "SELL"),)),))
INTERVAL_S = 300.0


def on_virtual_time(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Make a test of a coroutine that is run on virtual time."""

    def run() -> None:
        loop.run(test())

    return run


def appid_of(name: str) -> str:
    return f"wx{name.encode().hex()[-16:]:0>16}"


class FleetCaller:
    """Calls the model for each account, as the token service would; some calls don't get through.

    A call takes `takes_s`; what is in `away` isn't reached, what is in `hanging` never answers.
    """

    def __init__(self, model: WeChatModel, clock: Clock) -> None:
        self.model = model
        self.calls: list[tuple[str, str]] = []
        self.away: set[str] = set()
        self.hanging: set[str] = set()
        self.takes_s = 0.0
        self.one_at_a_time = True
        """Whether two calls for one account at the same time are a mistake."""
        self.under_way: dict[str, int] = {}
        self.most = 0
        """Accounts with a call under way at the same time."""
        self._clock = clock

    def count(self, name: str, path: str) -> int:
        return self.calls.count((name, path))

    async def call(
        self,
        account: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = 15.0,
    ) -> dict[str, Any]:
        self.calls.append((account, path))
        busy = account in self.under_way
        assert not (busy and self.one_at_a_time), "two passes over one account"
        self.under_way[account] = self.under_way.get(account, 0) + 1
        self.most = max(self.most, len(self.under_way))
        try:
            return await self._answer(account, path, json)
        finally:
            self.under_way[account] -= 1
            if not self.under_way[account]:
                del self.under_way[account]

    async def _answer(self, name: str, path: str, body: Any) -> dict[str, Any]:
        if name in self.hanging:
            await asyncio.Event().wait()
        if self.takes_s:
            await self._clock.sleep(self.takes_s)
        if name in self.away:
            raise NotSent(NotSentReason.CONNECTION_REFUSED, "refused", endpoint=path)
        answer = self.direct(name, path, body)
        code = int(answer.get("errcode", 0))
        if code:
            raise error_for(code, str(answer.get("errmsg", "")), path)
        return answer

    def direct(self, name: str, path: str, body: Any = None) -> dict[str, Any]:
        """A call of somebody else, past every fault."""
        now = self._clock.now()
        token = str(self.model.stable_token(appid_of(name), SECRET, False, now)["access_token"])
        return self.model.call(path, token, now, body=body if isinstance(body, dict) else None)


class DoorMenuStore(MemoryMenuStore):
    """The store in memory behind a door that a test shuts."""

    shut = False

    async def standing(self, account: str) -> Standing:
        self._enter()
        return await super().standing(account)

    async def verified(self, account: str) -> Verified | None:
        self._enter()
        return await super().verified(account)

    async def acquire(self, account: str, instance: str, ttl_s: float) -> Lease | None:
        self._enter()
        return await super().acquire(account, instance, ttl_s)

    async def paused(self, account: str) -> str | None:
        self._enter()
        return await super().paused(account)

    def _enter(self) -> None:
        if self.shut:
            raise StoreUnavailable("the door is shut")


class FleetWorld:
    """Make it on the loop. All workers share the store."""

    def __init__(self, *names: str, clock: Clock | None = None, **switches: Any) -> None:
        self.clock = clock or SkewedClock()
        accounts = [account(appid_of(name), SECRET) for name in names]
        self.model = platform(*accounts, **switches)
        self.caller = FleetCaller(self.model, self.clock)
        self.store = DoorMenuStore(self.clock)

    def fleet(
        self,
        instance: str = "worker-1",
        *,
        policy: Policy | None = None,
        on_drift: Behaviour = Behaviour.CORRECT,
        concurrency: int = 8,
        by_person: bool = False,
        quotas: DailyQuotas = REAL,
    ) -> Fleet:
        conduct = Conduct(
            instance=instance,
            actor="run",
            policy=policy or Policy(),
            strategy=ConditionalStrategy.ADD_FIRST,
            on_drift=on_drift,
            daily=limits(quotas),
            concurrency=concurrency,
            by_person=by_person,
        )
        return Fleet(conduct, self.caller, self.store, self.clock)

    @asynccontextmanager
    async def worker(
        self,
        menus: LoadedMenus | None = None,
        *,
        instance: str = "worker-1",
        interval_s: float = INTERVAL_S,
        **conduct: Any,
    ) -> AsyncIterator[Worker]:
        """Runs; the first passes are made as soon as the test waits."""
        randomness = SeededRandomness(3)
        async with TaskOwner(self.clock, randomness) as tasks:
            worker = Worker(
                self.fleet(instance, **conduct),
                tasks,
                interval_s=interval_s,
                randomness=randomness,
            )
            if menus is not None:
                worker.take(menus)
            yield worker

    def live(self, name: str) -> Menu:
        got = self.caller.direct(name, GET)
        return live_of(None if got.get("errcode") == 46003 else got).menu

    def somebody_writes(self, name: str, menu: Menu) -> None:
        """With another tool."""
        answer = self.caller.direct(name, CREATE, menu.document())
        assert answer["errcode"] == 0, answer


def file_of(name: str) -> Path:
    return Path(f"menus/{name}.yaml")


def loaded(
    menus: Mapping[str, Menu],
    *,
    broken: Mapping[str, str] | None = None,
    nameless: Mapping[str, str] | None = None,
    unmatched: tuple[str, ...] = (),
) -> LoadedMenus:
    """`broken` are files of known accounts, `nameless` files of nobody: name → what is wrong."""
    wrong = {**(broken or {}), **(nameless or {})}
    return LoadedMenus(
        {name: Desired(name, menu, file=file_of(name)) for name, menu in menus.items()},
        {file_of(name): (Violation(file_of(name), 1, 1, what),) for name, what in wrong.items()},
        {name: (file_of(name),) for name in broken or {}},
        unmatched,
    )


def state_of(worker: Worker, name: str) -> AccountState:
    return next(state for state in worker.states if state.account == name)


async def settle(seconds: float = 1.0) -> None:
    """Let the passes that are due be made."""
    await asyncio.sleep(seconds)
