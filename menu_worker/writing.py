"""A plan made live: it stands in the history before its first write, and with its outcome after.

How the single writes are made is in carrying_out; whether to write at all, in reconciler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from menu_worker.carrying_out import Applying, Interrupted, LeaseLost, NotConverged, StepRefused
from menu_worker.results import Applied, Busy, Failed
from menu_worker.store.base import Outcome
from menu_worker.verification import contradiction
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from menu_worker.desired import Desired
    from menu_worker.menu import Live
    from menu_worker.platform import WeChatMenus
    from menu_worker.results import Result
    from menu_worker.steps import ConditionalStrategy, Plan
    from menu_worker.store.base import Lease, MenuStore
    from zhongkong.runtime.clock import Clock

USERS_SEE_IT: Final = "users see it within about 5 minutes, when they next enter the chat"

log = get_logger()


class Writing:
    """Writes one account's menus, and keeps what was there before."""

    def __init__(
        self,
        menus: WeChatMenus,
        store: MenuStore,
        *,
        actor: str,
        strategy: ConditionalStrategy,
        clock: Clock,
    ) -> None:
        self._menus = menus
        self._store = store
        self._actor = actor
        self._strategy = strategy
        self._clock = clock

    async def apply(
        self, desired: Desired, plan: Plan, live: Live, lease: Lease, reason: str
    ) -> Result:
        """Back up, write, read back, verify; or put back what was. Raises StoreUnavailable."""
        account = plan.account
        revision = await self._store.begin(
            account,
            actor=self._actor,
            reason=reason,
            before=_backup(live),
            after=desired.menu.document(),
            fingerprint=plan.desired_fingerprint,
        )
        applying = Applying(self._menus, self._store, lease, self._clock)
        try:
            read_back = await applying.converge(plan, self._strategy)
        except StepRefused as refused:
            restored = await self._restore(applying, account, live, refused)
            outcome = Outcome.ROLLED_BACK if restored else Outcome.FAILED
            await self._store.finish(account, revision, outcome, str(refused))
            return Failed(str(refused), restored=restored, resumes=not restored)
        except (Interrupted, NotConverged) as trouble:
            await self._store.finish(account, revision, Outcome.FAILED, str(trouble))
            return Failed(str(trouble))
        except LeaseLost:
            await self._store.finish(account, revision, Outcome.FAILED, "the lease was lost")
            return Busy()
        wrong = await contradiction(self._menus, desired)
        if wrong is not None:
            await self._store.finish(account, revision, Outcome.FAILED, wrong)
            return Failed(wrong)
        await self._store.set_verified(account, plan.desired_fingerprint, desired.menu.document())
        await self._store.finish(account, revision, Outcome.VERIFIED)
        log.info(
            "menu_applied",
            account=account,
            revision=revision,
            actor=self._actor,
            reason=reason,
            steps=len(plan.steps),
            changes=len(plan.changes),
            hint=USERS_SEE_IT,
        )
        return Applied(plan, revision, is_open=read_back.is_open)

    async def _restore(
        self, applying: Applying, account: str, before: Live, refused: StepRefused
    ) -> bool:
        """Put back what was live, unless nothing was written yet. False when that can't be done."""
        if not refused.began:
            return True
        if before.is_console_made:
            log.error("console_menu_not_restored", account=account, why="it can't be made by API")
            return False
        try:
            await applying.restore(account, before.menu)
        except (StepRefused, Interrupted, NotConverged, LeaseLost) as trouble:
            log.error("menu_not_restored", account=account, why=str(trouble))
            return False
        log.warning("menu_restored", account=account, why=str(refused))
        return True


def _backup(live: Live) -> dict[str, Any]:
    """What is kept of the menu before a write; a console-made one is kept to be looked at."""
    document = live.menu.document()
    if live.is_console_made:
        document["console"] = [each.document() for each in live.console]
    return document
