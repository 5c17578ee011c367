"""One account's passes: at the start, when its file changes, at the interval, and on request.

One at a time; how many accounts have theirs at once is bounded by the fleet.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from menu_worker.account_state import AccountState
from menu_worker.drift import correction
from menu_worker.passes import NOT_TO_BE_ASKED, ended, untouched
from menu_worker.result_log import ResultLog
from menu_worker.results import Busy, Drifted, Failed, Reason, StoodDown, Unavailable
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from menu_worker.desired import Desired
    from menu_worker.fleet import Fleet
    from menu_worker.results import Result
    from zhongkong.runtime.clock import Randomness

FIRST_RETRY_S: Final = 5.0
"""After a pass that didn't come to an end of its own; doubled each time, up to the interval."""

EARLIEST: Final = 0.8
"""Passes at the interval come a little early, each by another share, so that they spread out."""

SWITCH_ASKED_EVERY_S: Final = 3600.0
"""Whether the menu is switched on costs a call of its own."""

SWITCHED_OFF_ASKED_EVERY_S: Final = 600.0


class AccountWorker:
    """Keeps one account's live menu equal to the desired one. Somebody has to `run` it."""

    def __init__(
        self,
        account: str,
        fleet: Fleet,
        *,
        interval_s: float,
        randomness: Randomness,
        on_result: Callable[[AccountState], None] = lambda _: None,
    ) -> None:
        self.state = AccountState(account)
        self._fleet = fleet
        self._reconciler = fleet.reconciler(account)
        self._quota = fleet.quota(account)
        self._interval_s = interval_s
        self._randomness = randomness
        self._on_result = on_result
        self._log = ResultLog(account)
        self._wake = asyncio.Event()
        self._reason: Reason | None = Reason.STARTED
        self._asked: list[asyncio.Future[Result]] = []
        self._knows_store = False
        self._switch_asked_at: float | None = None
        self._stopping = False
        self.idle = asyncio.Event()
        """Set while no pass is under way."""
        self.idle.set()

    def take(self, desired: Desired) -> None:
        """A desired menu as its file has it now."""
        before, state = self.state.desired, self.state
        changed = before is None or before.menu.fingerprint != desired.menu.fingerprint
        asserted = before is None or before.assertions != desired.assertions
        mended = state.trouble is not None
        state.desired, state.trouble = desired, None
        if changed or asserted or mended:
            state.in_sync = None if changed else state.in_sync
            self._due(Reason.CHANGED)

    def lose(self, why: str) -> None:
        """The file can't be used any more, or is gone: from now on nothing is written."""
        if self.state.trouble != why:
            self.state.trouble = why
            self._due(Reason.CHANGED)

    def wake(self) -> None:
        """Make a pass soon: what it depends on has changed."""
        self._due(Reason.CHANGED)

    async def reconcile(self) -> Result:
        """Have a pass made that begins after this call; its result."""
        if self._stopping:
            return Unavailable("this worker is ending")
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._wake.set()
        return await answer

    def stop(self) -> None:
        """Begin no further pass."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Make passes until told to stop; one under way is brought to its end."""
        # Before the first turn at the gate: with WeChat away that may take long to come.
        with suppress(StoreUnavailable):
            await self._recall()
        while await self._until_due():
            async with self._fleet.gate:
                if self._stopping:
                    break
                self.idle.clear()
                try:
                    await self._turn()
                finally:
                    self.idle.set()
        for answer in self._asked:
            answer.cancel()

    async def _turn(self) -> None:
        # What came while this pass waited for its turn is answered by it.
        self._wake.clear()
        asked, self._asked = self._asked, []
        reason = Reason.REQUESTED if asked else self._reason or Reason.INTERVAL
        self._reason = None
        try:
            result = await self._pass(reason)
            for answer in asked:
                if not answer.done():
                    answer.set_result(result)
        finally:
            for answer in asked:
                answer.cancel()
        self.state.due_at = self._fleet.clock.monotonic() + self._pause_s(result)

    def _due(self, reason: Reason) -> None:
        if self._reason is not Reason.STARTED:
            self._reason = reason
        self._wake.set()

    async def _until_due(self) -> bool:
        """False when nothing is to be done any more."""
        due_at = self.state.due_at
        pause_s = 0.0 if due_at is None else max(due_at - self._fleet.clock.monotonic(), 0.0)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        return not self._stopping

    async def _pass(self, reason: Reason) -> Result:
        state, clock = self.state, self._fleet.clock
        thorough = self._asks_for_switch()
        result = await ended(self._reconcile(reason, thorough=thorough))
        if thorough and not isinstance(result, Unavailable | StoodDown):
            self._switch_asked_at = clock.monotonic()
        state.note(result, clock.now(), thorough=thorough)
        state.failures = state.failures + 1 if _is_no_end(result) else 0
        await self._look_around()
        self._log.tell(result, is_open=state.is_open)
        self._on_result(self.state)
        return result

    async def _reconcile(self, reason: Reason, *, thorough: bool) -> Result:
        state = self.state
        await self._recall()
        if state.trouble is not None or state.desired is None:
            why = state.trouble or "no desired menu was found"
            return await untouched(self._reconciler, why, state.desired, thorough=thorough)
        return await self._reconciler.run(state.desired, reason, thorough=thorough)

    async def _recall(self) -> None:
        """What was verified before this process began: it need not be proved again."""
        if self._knows_store:
            return
        verified = await self._fleet.store.verified(self.state.account)
        self._knows_store = True
        if verified is not None and self.state.verified is None:
            self.state.verified, self.state.verified_at = verified.fingerprint, verified.at
            self._on_result(self.state)

    async def _look_around(self) -> None:
        """What else the store tells of the account; with the store away, that of before stays."""
        state, store = self.state, self._fleet.store
        with suppress(*NOT_TO_BE_ASKED):
            state.paused_by = await store.paused(state.account)
            past, now = await store.drifts(state.account)
            state.contested = correction(past, now, self._fleet.conduct.on_drift).contested
            state.quota_left = await self._quota.left()

    def _asks_for_switch(self) -> bool:
        if self._switch_asked_at is None:
            return True
        often = self.state.is_open is False
        every_s = SWITCHED_OFF_ASKED_EVERY_S if often else SWITCH_ASKED_EVERY_S
        return self._fleet.clock.monotonic() - self._switch_asked_at >= every_s

    def _pause_s(self, result: Result) -> float:
        """How long until the next pass, unless something happens before."""
        pause_s = self._interval_s * self._randomness.uniform(EARLIEST, 1.0)
        if _is_no_end(result):
            doubled = FIRST_RETRY_S * 2.0 ** min(self.state.failures - 1, 16)
            pause_s = min(pause_s, doubled * self._randomness.uniform(0.5, 1.0))
        if isinstance(result, Drifted) and result.correction.wait_s:
            pause_s = min(pause_s, result.correction.wait_s)
        return pause_s


def _is_no_end(result: Result) -> bool:
    """Whether the same pass may well end better in a moment."""
    if isinstance(result, Failed):
        return result.resumes
    return isinstance(result, Busy | Unavailable)
