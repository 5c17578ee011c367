"""PURE: what to lease next, and how soon to look again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.delivery.places import Places
    from callback_gateway.targets import Target

POLL_S: Final = 1.0
"""What another replica accepted or left is seen within this."""
_SHORTEST_S: Final = 0.005
_DOUBLINGS_AT_MOST: Final = 10


def wanted(targets: Mapping[str, Target], places: Places) -> dict[str, int]:
    """How many deliveries of each target may be begun now: those that have a place."""
    free = {name: target.concurrency - places.taken(name) for name, target in targets.items()}
    return {name: count for name, count in free.items() if count > 0}


def pause_s(next_due_s: float | None, in_vain: int) -> float:
    """How long to wait before leasing again, at most POLL_S.

    `in_vain` times in a row something was said to be due, and then nothing could be leased.
    """
    if next_due_s is None:
        return POLL_S
    shortest_s = _SHORTEST_S * 2.0 ** min(in_vain, _DOUBLINGS_AT_MOST)
    return min(max(next_due_s, shortest_s), POLL_S)
