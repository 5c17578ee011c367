"""Forgetting and counting in the inbox in memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from callback_gateway.inbox.records import Depth

if TYPE_CHECKING:
    from callback_gateway.inbox.memory_tables import Tables
    from callback_gateway.inbox.records import Keeping


def purge(tables: Tables, keeping: Keeping, now: float, limit: int) -> int:
    """Forget at most `limit` ids, stamps and dead letters, the oldest first; returns how many."""
    left = limit
    left -= _forget_ids(tables, now - keeping.retention_s, left)
    left -= _forget_stamps(tables, now - keeping.stamp_s, left)
    left -= _forget_letters(tables, now - keeping.dead_retention_s, left)
    return limit - left


def depth(tables: Tables, limit: int, now: float) -> Depth:
    """Count what is held at `now`."""
    waiting: Counter[str] = Counter()
    leased: Counter[str] = Counter()
    oldest_due_s: dict[str, float] = {}
    for target, lane in tables.lanes.items():
        for each in lane.values():
            held = each.lease is not None and each.due > now
            (leased if held else waiting)[target] += 1
        due_s = max((now - each.due for each in lane.values()), default=-1.0)
        if due_s >= 0:
            oldest_due_s[target] = due_s
    return Depth(
        events=tables.held,
        limit=limit,
        waiting=waiting,
        leased=leased,
        dead=Counter(letter.target for _, letter in tables.letters.values()),
        oldest_due_s=oldest_due_s,
    )


def _forget_ids(tables: Tables, until: float, most: int) -> int:
    over = sorted(
        (event.accepted_at, event.number, event.id)
        for event in tables.events.values()
        if not event.standing and event.accepted_at <= until
    )[:most]
    for *_, event_id in over:
        del tables.events[event_id]
    return len(over)


def _forget_stamps(tables: Tables, until: float, most: int) -> int:
    over = sorted((at, proof) for proof, (_, at) in tables.stamps.items() if at <= until)[:most]
    for _, proof in over:
        del tables.stamps[proof]
    return len(over)


def _forget_letters(tables: Tables, until: float, most: int) -> int:
    over = sorted(
        (letter.died_at, position, letter.id)
        for position, letter in tables.letters.values()
        if letter.died_at <= until
    )[:most]
    for *_, letter_id in over:
        del tables.letters[letter_id]
    return len(over)
