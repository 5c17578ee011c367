"""PURE: counting the calls of a day (UTC+8)."""

from __future__ import annotations

from dataclasses import replace

from token_service.slot import Budget, Call
from zhongkong.wechat.limits import day_of


def spend(budget: Budget, call: Call, now: float) -> Budget:
    """Count one call on the day of `now`; a new day starts from nothing."""
    day = day_of(now)
    if budget.day != day:
        budget = Budget(day=day, last_forced_at=budget.last_forced_at)
    spent = _count(budget, call, budget.spent(call) + 1)
    return replace(spent, last_forced_at=now) if call is Call.FORCED else spent


def refund(budget: Budget, call: Call, now: float) -> Budget:
    """Take one call of this day back: it was never sent."""
    if budget.day != day_of(now):
        return budget
    return _count(budget, call, max(0, budget.spent(call) - 1))


def _count(budget: Budget, call: Call, count: int) -> Budget:
    match call:
        case Call.NORMAL:
            return replace(budget, normal=count)
        case Call.FORCED:
            return replace(budget, forced=count)
        case Call.CLASSIC:
            return replace(budget, classic=count)
        case Call.TICKET:
            return replace(budget, ticket=count)
