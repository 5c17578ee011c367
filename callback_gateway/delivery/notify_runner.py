"""Notify deliveries, each in a place of its target: attempted, judged, settled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from callback_gateway.delivery.verdict import TARGET_GONE, judge_notify
from callback_gateway.inbox.records import Dead, Mark, Retry

if TYPE_CHECKING:
    from callback_gateway.delivery.disabled import Disabled
    from callback_gateway.delivery.leases import Hold
    from callback_gateway.delivery.outcome import Outcome
    from callback_gateway.delivery.parts import Parts
    from callback_gateway.delivery.verdict import Judgement
    from callback_gateway.inbox.records import Attempt, Done
    from callback_gateway.targets import Target


Leave = Callable[[float | None], None]
"""Gives a place back; told in how many seconds the delivery is due again, if it is."""


class NotifyRunner:
    """Runs one attempt for each lease."""

    def __init__(self, parts: Parts, disabled: Disabled) -> None:
        self._parts = parts
        self._disabled = disabled

    def begin(self, hold: Hold, target: Target, leave: Leave) -> None:
        """Attempt it; `leave` gives its place back, once it is settled."""
        if self._disabled.holds(target) and Mark.REDRIVEN not in hold.delivery.marks:
            self._settle(hold, Dead(TARGET_GONE), None, leave)
        else:
            self._parts.work.begin("delivery", self._deliver(hold, target, leave))

    async def _deliver(self, hold: Hold, target: Target, leave: Leave) -> None:
        parts, settling = self._parts, False
        try:
            if await self._is_disabled(target):
                self._settle(hold, Dead(TARGET_GONE), None, leave)
                settling = True
                return
            judge = partial(self._judge, hold)
            judgement, attempt = await parts.attempts.make(hold.delivery, target, judge)
            self._settle(hold, judgement.result, attempt, leave)
            settling = True
            if judgement.target_gone:
                await self._disabled.add(target)
        finally:
            if not settling:
                parts.leases.let_go(hold)
                leave(None)

    async def _is_disabled(self, target: Target) -> bool:
        """Asked anew for what is redriven: whoever does that has just enabled the target."""
        if self._disabled.holds(target):
            await self._disabled.refresh()
        return self._disabled.holds(target)

    def _judge(self, hold: Hold, outcome: Outcome) -> Judgement:
        chance = self._parts.randomness.uniform(0.0, 1.0)
        return judge_notify(outcome, hold.delivery.failures, self._parts.schedule, chance)

    def _settle(
        self, hold: Hold, result: Done | Retry | Dead, attempt: Attempt | None, leave: Leave
    ) -> None:
        def then(told: bool) -> None:  # noqa: FBT001 - the one fact of a callback
            leave(result.after_s if told and isinstance(result, Retry) else None)
            if told and isinstance(result, Dead):
                self._parts.reports.dead(hold.delivery, result.reason)

        self._parts.settler.settle(hold, result, attempt, then=then)
