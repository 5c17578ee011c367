"""All accounts of this process, each with passes of its own, and when the process is ready.

When passes are made is decided in account_worker, what they do in reconciler.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from menu_worker.account_worker import AccountWorker
from menu_worker.findings import Level
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from menu_worker.account_state import AccountState
    from menu_worker.desired import LoadedMenus
    from menu_worker.findings import Violation
    from menu_worker.fleet import Fleet
    from menu_worker.results import Result
    from zhongkong.runtime.clock import Randomness
    from zhongkong.runtime.tasks import TaskOwner

GONE: Final = "its desired file is gone; the live menu is left as it is"
STARTING: Final = "starting"
BAD_FILES: Final = "desired files can not be used"
NOT_VERIFIED: Final = "desired menus are not verified live yet"
STANDING_DOWN: Final = "another worker decides the menu"

_TOLD_AT_MOST: Final = 20

log = get_logger()


class Worker:
    """Give it what the files hold, at first and after each change."""

    def __init__(
        self, fleet: Fleet, tasks: TaskOwner, *, interval_s: float, randomness: Randomness
    ) -> None:
        self._fleet = fleet
        self._tasks = tasks
        self._interval_s = interval_s
        self._randomness = randomness
        self._accounts: dict[str, AccountWorker] = {}
        self._is_ready = False
        self._waiting: set[str] = set()
        """Accounts whose desired menu was not verified live yet; without meaning once ready."""
        self.menus: LoadedMenus | None = None
        """As they were loaded last."""

    @property
    def states(self) -> list[AccountState]:
        """Of every account that was ever desired here, by name."""
        return [self._accounts[name].state for name in sorted(self._accounts)]

    def take(self, menus: LoadedMenus) -> None:
        """Take over what the files hold now."""
        self._tell(menus)
        self.menus = menus
        for account, desired in menus.desired.items():
            self._worker(account).take(desired)
        for account, paths in menus.unusable.items():
            self._worker(account).lose(_why(menus, paths))
        for account, worker in self._accounts.items():
            if account not in menus.desired and account not in menus.unusable:
                before = worker.state.desired
                paths = () if before is None else (before.file,)
                refused = any(path in menus.refused for path in paths)
                worker.lose(_why(menus, paths) if refused else GONE)
        self._waiting = {
            account for account in menus.desired if not self._accounts[account].state.is_settled
        }
        self._latch()

    async def reconcile(self, accounts: Iterable[str], within_s: float) -> dict[str, Result | None]:
        """Have a pass made now for each; None for those not done in time."""
        asked = {
            account: asyncio.ensure_future(self._accounts[account].reconcile())
            for account in accounts
        }
        try:
            if asked:
                await asyncio.wait(asked.values(), timeout=within_s)
            return {account: _result(each) for account, each in asked.items()}
        finally:
            for each in asked.values():
                each.cancel()

    def knows(self, account: str) -> bool:
        return account in self._accounts

    def wake(self, account: str) -> None:
        """Have a pass made soon."""
        self._accounts[account].wake()

    def stop(self) -> None:
        """Begin nothing more."""
        for worker in self._accounts.values():
            worker.stop()

    async def drain(self, timeout_s: float) -> None:
        """Wait for the passes under way; what is cut off is resumed after the next start."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                for worker in self._accounts.values():
                    await worker.idle.wait()

    def not_ready_because(self) -> str | None:
        """None once every desired menu was verified live; it stays so, whatever happens later."""
        if self._is_ready:
            return None
        if self.menus is None:
            return STARTING
        if self.menus.refused or self.menus.unmatched:
            return BAD_FILES
        if any(self._accounts[account].state.is_standing_down for account in self._waiting):
            return STANDING_DOWN
        return NOT_VERIFIED if self._waiting else None

    def _take_note(self, state: AccountState) -> None:
        if not self._is_ready and state.is_settled:
            self._waiting.discard(state.account)
            self._latch()

    def _latch(self) -> None:
        if not self._is_ready and not self._waiting and self.not_ready_because() is None:
            self._is_ready = True
            log.info("menus_verified", accounts=len(self._accounts))

    def _worker(self, account: str) -> AccountWorker:
        worker = self._accounts.get(account)
        if worker is None:
            worker = self._accounts[account] = AccountWorker(
                account,
                self._fleet,
                interval_s=self._interval_s,
                randomness=self._randomness,
                on_result=self._take_note,
            )
            self._tasks.keep(f"menu of {account}", worker.run)
        return worker

    def _tell(self, menus: LoadedMenus) -> None:
        """Log what is wrong with the files, when it is not what was wrong before."""
        before = self.menus
        known = before.refused if before is not None else {}
        for path, violations in menus.refused.items():
            if known.get(path) != violations:
                errors = _errors(violations)
                log.error(
                    "desired_refused",
                    file=str(path),
                    violations=errors[:_TOLD_AT_MOST],
                    left_off=max(len(errors) - _TOLD_AT_MOST, 0),
                    effect="the live menu is left as it is",
                )
        missing = before.unmatched if before is not None else ()
        for pattern in menus.unmatched:
            if pattern not in missing:
                log.error(
                    "desired_missing", pattern=pattern, effect="the live menu is left as it is"
                )
        log.info("desired_loaded", accounts=len(menus.desired), refused=len(menus.refused))


def _why(menus: LoadedMenus, paths: Iterable[Path]) -> str:
    errors = [error for path in paths for error in _errors(menus.refused.get(path, ()))]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]}{more}" if errors else "its desired file can't be used"


def _errors(violations: Iterable[Violation]) -> list[str]:
    return [str(each) for each in violations if each.level is Level.ERROR]


def _result(asked: asyncio.Future[Result]) -> Result | None:
    return asked.result() if asked.done() and not asked.cancelled() else None
