"""Carries a plan out: write by write under the lease, read back, resume, or put back what was.

After whatever goes wrong the live menu is read again and planned from anew, so nothing depends on
which of the writes took effect.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from menu_worker.plan import make_plan
from menu_worker.platform import may_have_happened
from menu_worker.quota import QuotaSpent
from menu_worker.steps import AddConditional, ConditionalStrategy, DeleteConditional
from token_service.client import ServiceUnreachable, TokenServiceError
from zhongkong.runtime.logs import get_logger
from zhongkong.wechat.errors import NormalAbsence, NotSent, Transient, UpstreamError, WeChatError

if TYPE_CHECKING:
    from menu_worker.menu import Live, Menu
    from menu_worker.platform import WeChatMenus
    from menu_worker.steps import Plan, Step
    from menu_worker.store.base import Lease, MenuStore
    from zhongkong.runtime.clock import Clock

LEASE_S: Final = 60.0
ROUNDS: Final = 4
"""Of writing and reading back; one is enough unless something goes wrong."""

PATIENCE: Final = (1.0, 3.0, 9.0)
"""Pauses before a call that failed without effect is made again."""

log = get_logger()


class LeaseLost(Exception):
    """Another worker has the right to write; what is live now is its business."""


class NotConverged(Exception):
    """WeChat takes the writes and shows another menu, again and again."""


class StepRefused(Exception):
    """WeChat said no to a write, for good. `began`: others were carried out before it."""

    def __init__(self, step: Step, error: Exception, *, began: bool) -> None:
        super().__init__(str(error))
        self.step = step
        self.error = error
        self.began = began


class Interrupted(Exception):
    """The calls don't get through; what was begun is resumed by the next pass."""


class Applying:
    """One apply of one account, under one lease."""

    def __init__(self, menus: WeChatMenus, store: MenuStore, lease: Lease, clock: Clock) -> None:
        self._menus = menus
        self._store = store
        self._lease = lease
        self._clock = clock
        self._began = False

    async def converge(self, plan: Plan, strategy: ConditionalStrategy) -> Live:
        """Make the desired menu live and return what was read back.

        Raises StepRefused, Interrupted, LeaseLost or NotConverged.
        """
        for _ in range(ROUNDS):
            try:
                await self._write(plan)
            except StepRefused as refused:
                if not _another_order_may_help(refused, strategy):
                    raise
                log.info("conditional_strategy_changed", account=plan.account, why=str(refused))
                strategy = ConditionalStrategy.DELETE_FIRST
            live = await self._read()
            plan = make_plan(plan.account, live, plan.desired, strategy=strategy)
            if plan.is_empty:
                return live
        raise NotConverged(
            f"after {ROUNDS} rounds the live menu still isn't the desired one; somebody else "
            "writes it, or WeChat shows it in a form unknown here"
        )

    async def restore(self, account: str, before: Menu) -> None:
        """Put back what was live before. Raises what `converge` raises."""
        live = await self._read()
        plan = make_plan(account, live, before, strategy=ConditionalStrategy.DELETE_FIRST)
        if not plan.is_empty:
            await self.converge(plan, ConditionalStrategy.DELETE_FIRST)

    async def _write(self, plan: Plan) -> None:
        """Carry out the steps; leaves early when only a reading tells what has happened."""
        for step in plan.steps:
            if not await self._store.holds(self._lease, LEASE_S):
                raise LeaseLost
            if not await self._carry_out(step):
                return
            self._began = True

    async def _carry_out(self, step: Step) -> bool:
        """One write. False: it may or may not have taken effect."""
        for pause_s in (*PATIENCE, None):
            try:
                with suppress(*_gone(step)):
                    await self._menus.carry_out(step)
                return True
            except QuotaSpent as spent:
                raise Interrupted(str(spent)) from spent
            except (UpstreamError, TokenServiceError) as error:
                if may_have_happened(error):
                    log.warning("menu_write_unseen", account=self._menus.account, why=str(error))
                    self._began = True
                    return False
                if not _passes(error):
                    raise StepRefused(step, error, began=self._began) from error
                if pause_s is None:
                    raise Interrupted(str(error)) from error
                await self._clock.sleep(pause_s)
        raise AssertionError("the last pause is None")

    async def _read(self) -> Live:
        for pause_s in (*PATIENCE, None):
            try:
                return await self._menus.read(thorough=True)
            except QuotaSpent as spent:
                raise Interrupted(str(spent)) from spent
            except (UpstreamError, TokenServiceError) as error:
                # Reading changes nothing: even an unseen outcome may be asked for again.
                if pause_s is None or not (_passes(error) or may_have_happened(error)):
                    raise Interrupted(str(error)) from error
                await self._clock.sleep(pause_s)
        raise AssertionError("the last pause is None")


def _gone(step: Step) -> tuple[type[Exception], ...]:
    """What isn't there need not be deleted."""
    return (NormalAbsence,) if isinstance(step, DeleteConditional) else ()


def _passes(error: Exception) -> bool:
    """Whether the same call may succeed a little later."""
    if isinstance(error, TokenServiceError):
        return error.retry_after_s > 0 or isinstance(error, ServiceUnreachable)
    return isinstance(error, Transient | NotSent)


def _another_order_may_help(refused: StepRefused, strategy: ConditionalStrategy) -> bool:
    """An addition that is one too many, or one of two with a rule, may fit after the deletions."""
    return (
        strategy is ConditionalStrategy.ADD_FIRST
        and isinstance(refused.step, AddConditional)
        and isinstance(refused.error, WeChatError)
    )
