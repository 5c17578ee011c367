"""An account at the emulated WeChat, a worker for it, and calls that go wrong when told to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from menu_worker.desired import Assertion, Desired
from menu_worker.drift import Behaviour
from menu_worker.guards import Policy
from menu_worker.menu import Menu
from menu_worker.normal_form import live_of
from menu_worker.platform import GET, SHOWN, TRY_MATCH, WeChatMenus
from menu_worker.quota import Quota, limits
from menu_worker.reconciler import Reconciler
from menu_worker.results import Reason, Result
from menu_worker.steps import ConditionalStrategy
from menu_worker.store.memory import MemoryMenuStore
from tests.emulator.clocks import HeldClock
from tests.emulator.platforms import platform, stable
from zhongkong.emulator.model import WeChatModel
from zhongkong.wechat.errors import (
    NotSent,
    NotSentReason,
    OutcomeUnknown,
    OutcomeUnknownReason,
    error_for,
)

ACCOUNT = "shop"
READS = frozenset({GET, SHOWN, TRY_MATCH})

Fault = Literal["not_sent", "unseen", "lost", "busy", "busy_after", "forbidden", "minute_quota"]
FAULTS: tuple[Fault, ...] = (
    "not_sent",
    "unseen",
    "lost",
    "busy",
    "busy_after",
    "forbidden",
    "minute_quota",
)
_CODES: Mapping[Fault, int] = {
    "busy": -1,
    "busy_after": -1,
    "forbidden": 48001,
    "minute_quota": 45011,
}


class ModelCaller:
    """Calls the model, as the token service would; `faults` strike by the number of the call."""

    def __init__(self, model: WeChatModel, clock: HeldClock) -> None:
        self.model = model
        self.faults: dict[int, Fault] = {}
        self.paths: list[str] = []
        self._clock = clock

    @property
    def writes(self) -> list[str]:
        return [path for path in self.paths if path not in READS]

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
        fault = self.faults.get(len(self.paths))
        self.paths.append(path)
        return self._carried_out(path, json, fault)

    def _carried_out(self, path: str, body: Any, fault: Fault | None) -> dict[str, Any]:
        if fault == "not_sent":
            raise NotSent(NotSentReason.CONNECTION_REFUSED, "refused", endpoint=path)
        if fault == "lost":
            raise OutcomeUnknown(OutcomeUnknownReason.CONNECTION_LOST, "reset", endpoint=path)
        if fault in {"busy", "forbidden", "minute_quota"}:
            raise error_for(_CODES[fault], "injected", path)
        now = self._clock.now()
        answer = self.model.call(path, stable(self.model, now), now, body=body)
        if fault == "unseen":
            raise OutcomeUnknown(OutcomeUnknownReason.DEADLINE, "timed out", endpoint=path)
        if fault == "busy_after":
            raise error_for(_CODES[fault], "injected", path)
        code = int(answer.get("errcode", 0))
        if code:
            raise error_for(code, str(answer.get("errmsg", "")), path)
        return answer


class World:
    """One account. `worker()` makes a reconciler; all share the store unless told otherwise."""

    def __init__(self, **switches: Any) -> None:
        self.clock = HeldClock()
        self.model = platform(**switches)
        self.caller = ModelCaller(self.model, self.clock)
        self.store = MemoryMenuStore(self.clock)

    def worker(
        self,
        instance: str = "worker-1",
        *,
        store: MemoryMenuStore | None = None,
        policy: Policy | None = None,
        strategy: ConditionalStrategy = ConditionalStrategy.ADD_FIRST,
        on_drift: Behaviour = Behaviour.CORRECT,
    ) -> Reconciler:
        kept = store or self.store
        quota = Quota(kept, ACCOUNT, limits(), reserve=0.2)
        return Reconciler(
            WeChatMenus(self.caller, ACCOUNT, quota.spend),
            kept,
            instance=instance,
            actor="run",
            policy=policy or Policy(force=True),
            strategy=strategy,
            on_drift=on_drift,
            clock=self.clock,
        )

    async def reconcile(
        self, menu: Menu, reason: Reason = Reason.CHANGED, *assertions: Assertion, **how: Any
    ) -> Result:
        return await self.worker(**how).run(desired(menu, *assertions), reason)

    @property
    def live(self) -> Menu:
        now = self.clock.now()
        got = self.model.call(GET, stable(self.model, now), now)
        return live_of(None if got.get("errcode") == 46003 else got).menu


def desired(menu: Menu, *assertions: Assertion) -> Desired:
    return Desired(account=ACCOUNT, menu=menu, assertions=assertions, file=Path("menus/shop.yaml"))
