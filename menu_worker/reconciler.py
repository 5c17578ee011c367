"""One pass over one account: read, plan, guard, claim, take the lease, write, read back, verify.

What to write is decided in plan, whether to in guards, claims and drift; the writing itself is in
writing. When passes are made is the worker's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from menu_worker.carrying_out import LEASE_S
from menu_worker.claims import has_claimed, stand_down
from menu_worker.drift import correction, source_of
from menu_worker.guards import Policy, refuse, refuse_stale
from menu_worker.normal_form import of_desired
from menu_worker.plan import make_plan
from menu_worker.results import (
    Applied,
    Busy,
    Drifted,
    Failed,
    Guarded,
    InSync,
    Paused,
    Reason,
    StoodDown,
)
from menu_worker.setbacks import wait_after
from menu_worker.verification import contradiction
from menu_worker.writing import Writing

if TYPE_CHECKING:
    from menu_worker.claims import StandDown
    from menu_worker.desired import Desired
    from menu_worker.drift import Behaviour
    from menu_worker.guards import Refused
    from menu_worker.menu import Live, Menu
    from menu_worker.platform import WeChatMenus
    from menu_worker.results import Result
    from menu_worker.steps import ConditionalStrategy, Plan
    from menu_worker.store.base import MenuStore, Verified
    from zhongkong.runtime.clock import Clock

DRIFT: Final = "drift"
"""In the history: the reason of a write that undoes what somebody else did."""

_NO_MENU_AT_ALL: Final = "-"
"""No menu's fingerprint: whoever claims it between two claims takes the present time."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The state that a plan was made for, by fingerprints: in another one nothing is written."""

    live: str
    desired: str


@dataclass(frozen=True, slots=True)
class Order:
    """How a person's command differs from a pass that the worker makes by itself."""

    holder: str
    """Names the lease, which the worker of the same instance may hold at that moment."""
    bound: Bound | None = None
    anew: bool = False
    """The claim takes the present time, though it was made before."""
    heeds_pause: bool = True


class Reconciler:
    """Makes one account's live menu equal to the desired one. One pass at a time."""

    def __init__(
        self,
        menus: WeChatMenus,
        store: MenuStore,
        *,
        instance: str,
        actor: str,
        policy: Policy,
        strategy: ConditionalStrategy,
        on_drift: Behaviour,
        clock: Clock,
    ) -> None:
        """`instance` names the claim, `actor` who stands in the history."""
        self._menus = menus
        self._store = store
        self._instance = instance
        self._policy = policy
        self._strategy = strategy
        self._on_drift = on_drift
        self._writing = Writing(menus, store, actor=actor, strategy=strategy, clock=clock)

    async def plan(self, desired: Desired, *, thorough: bool = True) -> tuple[Plan, Live]:
        """What a pass would write now; changes nothing."""
        live = await self._menus.read(thorough=thorough)
        return make_plan(desired.account, live, desired.menu, strategy=self._strategy), live

    async def refusal(self, plan: Plan) -> Refused | None:
        """Why a pass would not carry this plan out."""
        return refuse(plan, self._policy, _last(await self._store.verified(plan.account)))

    async def run(
        self,
        desired: Desired,
        reason: Reason,
        *,
        thorough: bool = False,
        order: Order | None = None,
    ) -> Result:
        """One pass. Raises StoreUnavailable, and what the first reading raises.

        `thorough` also asks whether the menu is switched on. What a guard refuses is not claimed:
        whoever decided the account before goes on doing so.
        """
        order = order or Order(self._instance)
        account, fingerprint = desired.account, desired.menu.fingerprint
        standing = await self._store.standing(account)
        claimed = not order.anew and has_claimed(standing, self._instance, fingerprint)
        if claimed and (loser := stand_down(standing, fingerprint)) is not None:
            return StoodDown(loser.winner)
        # Whether it is switched on counts in the state that a plan is bound to.
        plan, live = await self.plan(desired, thorough=thorough or order.bound is not None)
        verified = await self._store.verified(account)
        refused = _stale(plan, live, desired, order.bound)
        refused = refused or refuse(plan, self._policy, _last(verified))
        if refused is not None:
            return Guarded(plan, refused)
        if not claimed:
            loser = await self._claim(account, fingerprint, anew=order.anew)
            if loser is not None:
                return StoodDown(loser.winner)
        if plan.is_empty:
            return await self._in_sync(desired, live, verified)
        paused_by = await self._store.paused(account) if order.heeds_pause else None
        if paused_by is not None:
            return Paused(paused_by, pending=True)
        return await self._write(desired, plan, live, verified, reason, order.holder)

    async def _claim(self, account: str, fingerprint: str, *, anew: bool) -> StandDown | None:
        if anew:
            await self._store.claim(account, self._instance, _NO_MENU_AT_ALL)
        return stand_down(
            await self._store.claim(account, self._instance, fingerprint), fingerprint
        )

    async def _in_sync(self, desired: Desired, live: Live, verified: Verified | None) -> Result:
        fingerprint = desired.menu.fingerprint
        if verified is not None and verified.fingerprint == fingerprint:
            return InSync(newly=False, is_open=live.is_open)
        wrong = await contradiction(self._menus, desired)
        if wrong is not None:
            return Failed(wrong, resumes=True)
        await self._store.set_verified(desired.account, fingerprint, desired.menu.document())
        return InSync(newly=True, is_open=live.is_open)

    async def _write(
        self,
        desired: Desired,
        plan: Plan,
        live: Live,
        verified: Verified | None,
        reason: Reason,
        holder: str,
    ) -> Result:
        """Write under the lease, unless something holds it up."""
        account = plan.account
        drifted = await self._drift(plan, live, verified)
        held_up = await self._held_up(plan, drifted, reason)
        if held_up is not None:
            return held_up
        lease = await self._store.acquire(account, holder, LEASE_S)
        if lease is None:
            return Busy()
        try:
            if drifted is not None and reason is not Reason.REQUESTED:
                await self._store.record_drift(account, live.fingerprint)
            why = reason.value if drifted is None else DRIFT
            result = await self._writing.apply(desired, plan, live, lease, why)
        finally:
            await self._store.release(lease)
        return replace(result, corrected=drifted) if isinstance(result, Applied) else result

    async def _held_up(self, plan: Plan, drifted: Drifted | None, reason: Reason) -> Result | None:
        """Why nothing is written now; None when it may be."""
        if reason is Reason.REQUESTED:
            return None
        if drifted is not None:
            return None if drifted.correction.allowed else drifted
        history = await self._store.history(plan.account)
        standing = await self._store.standing(plan.account)
        setback = wait_after(history, plan.desired_fingerprint, standing.now)
        return None if setback is None else Failed(setback, resumes=False)

    async def _drift(self, plan: Plan, live: Live, verified: Verified | None) -> Drifted | None:
        """What happened to a menu that was verified; None when the desired one is another."""
        if verified is None or verified.fingerprint != plan.desired_fingerprint:
            return None
        past, now = await self._store.drifts(plan.account)
        own = {each.fingerprint for each in await self._store.history(plan.account)}
        return Drifted(plan, source_of(live, own), correction(past, now, self._on_drift))


def _last(verified: Verified | None) -> Menu | None:
    return None if verified is None else of_desired(verified.menu)


def _stale(plan: Plan, live: Live, desired: Desired, bound: Bound | None) -> Refused | None:
    """A plan that was carried out already is not stale: nothing is left to write."""
    if bound is None or (plan.is_empty and bound.desired == desired.menu.fingerprint):
        return None
    return refuse_stale(bound.live, bound.desired, live, desired.menu)
