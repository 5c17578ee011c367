"""Deliveries to targets that are not configured: left alone for a while, then dead letters.

A target may be missing by mistake, or be known already to a replica that was updated first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.delivery.schedule import longest_wait_s
from callback_gateway.delivery.verdict import TARGET_UNKNOWN
from callback_gateway.inbox.records import Dead, Release
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callback_gateway.delivery.parts import Parts
    from callback_gateway.inbox.records import Delivery

LEFT_ALONE_S: Final = 600.0
"""After a delivery became due."""
_AT_ONCE: Final = 32
_ROUNDS: Final = 32

log = get_logger()


def is_abandoned(delivery: Delivery, schedule: Sequence[float]) -> bool:
    """Whether it has certainly been due for LEFT_ALONE_S: when exactly it was is not kept."""
    due_at = delivery.accepted_at
    if delivery.attempts:
        last = delivery.attempts[-1]
        wait_s = longest_wait_s(schedule, delivery.failures - 1) if delivery.failures else 0.0
        due_at = max(due_at, last.at + last.took_s + wait_s)
    return delivery.now - due_at >= LEFT_ALONE_S


async def bury_unclaimed(parts: Parts) -> None:
    """Make dead letters of what nobody claims. Without a store nothing happens."""
    try:
        for _ in range(_ROUNDS):
            depth = await parts.inbox.depth()
            known = parts.targets()
            overdue = {
                target: _AT_ONCE
                for target, due_s in depth.oldest_due_s.items()
                if due_s >= LEFT_ALONE_S and target not in known
            }
            if not overdue or not await _bury(parts, overdue):
                return
    except StoreUnavailable as problem:
        log.debug("unclaimed_deliveries_unread", why=str(problem))


async def _bury(parts: Parts, overdue: dict[str, int]) -> bool:
    """Lease the longest due and settle them; whether all of them were buried."""
    settled = []
    for delivery in await parts.inbox.lease(overdue, owner=parts.owner):
        hold = parts.leases.hold(delivery)
        dead = is_abandoned(delivery, parts.schedule)
        result = Dead(TARGET_UNKNOWN) if dead else Release()
        settled.append((delivery, dead, parts.settler.settled(hold, result)))
    for delivery, dead, told in settled:
        if await told and dead:
            parts.reports.dead(delivery, TARGET_UNKNOWN)
    return bool(settled) and all(dead for _, dead, _ in settled)
