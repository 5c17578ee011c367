"""PURE: which of several instances with different menus decides an account's menu.

The latest claim wins. A claim keeps its time over restarts and outlives its instance, so a worker
that keeps crashing with an old menu never wins it back; a menu taken up anew is the latest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from menu_worker.store.base import Claim, Standing


@dataclass(frozen=True, slots=True)
class StandDown:
    """Another menu was taken up later, by this claim's instance."""

    winner: Claim


def stand_down(standing: Standing, fingerprint: str) -> StandDown | None:
    """Whether whoever desires the menu of `fingerprint` must leave the account alone.

    Equal menus never compete. Of two claims of the very same moment the higher instance name wins,
    everywhere alike.
    """
    winner = max(standing.claims, key=_rank, default=None)
    if winner is None or winner.fingerprint == fingerprint:
        return None
    return StandDown(winner)


def has_claimed(standing: Standing, instance: str, fingerprint: str) -> bool:
    """Whether this instance stands there with this very menu."""
    return any(
        claim.instance == instance and claim.fingerprint == fingerprint for claim in standing.claims
    )


def _rank(claim: Claim) -> tuple[float, str]:
    return claim.claimed_at, claim.instance
