"""PURE: the shards' answers on how full they are, added up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from callback_gateway.inbox.records import Depth

if TYPE_CHECKING:
    from collections.abc import Iterable


def total(answers: Iterable[tuple[float, Any]], limit: int) -> Depth:
    """Add up what depth.lua answered on each shard, at its time."""
    events = 0
    waiting: Counter[str] = Counter()
    leased: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    oldest_due_s: dict[str, float] = {}
    for now, (used, lanes, letters) in answers:
        events += used
        for name, count_waiting, count_leased, since in zip(*[iter(lanes)] * 4, strict=True):
            target = name.decode()
            waiting[target] += count_waiting
            leased[target] += count_leased
            if since:
                due_s = max(0.0, now - float(since))
                oldest_due_s[target] = max(due_s, oldest_due_s.get(target, 0.0))
        for name, count in zip(letters[::2], letters[1::2], strict=True):
            dead[name.decode()] += int(count)
    return Depth(events, limit, +waiting, +leased, +dead, oldest_due_s)
