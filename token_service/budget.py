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
    if call is Call.NORMAL:
        return replace(budget, normal=budget.normal + 1)
    if call is Call.CLASSIC:
        return replace(budget, classic=budget.classic + 1)
    return replace(budget, forced=budget.forced + 1, last_forced_at=now)


def refund(budget: Budget, call: Call, now: float) -> Budget:
    if budget.day != day_of(now):
        return budget
    match call:
        case Call.NORMAL:
            return replace(budget, normal=max(0, budget.normal - 1))
        case Call.CLASSIC:
            return replace(budget, classic=max(0, budget.classic - 1))
        case Call.FORCED:
            return replace(budget, forced=max(0, budget.forced - 1))
