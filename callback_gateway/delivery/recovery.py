"""PURE: when a target that had been failing has recovered, so that its retries may come at once.

One event that a target can never take fails between deliveries that it does take. It would then be
hastened through all its attempts; so recoveries that follow each other closely count less and less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_HOLD_S: Final = 30.0
LONGEST_HOLD_S: Final = 3_600.0


@dataclass(slots=True)
class _Health:
    failing: bool | None = None
    """None until an attempt of this process told."""
    held_until: float = float("-inf")
    hold_s: float = FIRST_HOLD_S


class Recoveries:
    """What the attempts of this process say about its targets. `now` on any steady clock."""

    def __init__(self) -> None:
        self._health: dict[str, _Health] = {}

    def failed(self, target: str) -> None:
        self._health.setdefault(target, _Health()).failing = True

    def succeeded(self, target: str, failures: int, now: float) -> bool:
        """Whether this is the first delivery after a time of failure; `failures` of it before."""
        health = self._health.setdefault(target, _Health())
        if health.failing is None:
            health.failing = failures > 0
        if not health.failing or now < health.held_until:
            return False
        soon = now < health.held_until + health.hold_s
        health.hold_s = min(health.hold_s * 2, LONGEST_HOLD_S) if soon else FIRST_HOLD_S
        health.held_until = now + health.hold_s
        health.failing = False
        return True

    def keep(self, targets: frozenset[str]) -> None:
        """Forget all but these."""
        for gone in self._health.keys() - targets:
            del self._health[gone]
