"""Which host comes first: sticky to the one that worked, back to the first after a while. PURE.

Moving on is for calls that provably never left; what counts as that is decided in `exchange`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Failover:
    """Calls go to another host from now on. `reason` is why `previous` was passed over."""

    previous: str
    current: str
    reason: str


class HostOrder:
    """The order in which the next call tries the hosts. `now` is monotonic seconds."""

    def __init__(self, origins: Sequence[str], *, return_after_s: float) -> None:
        self._origins = tuple(origins)
        self._return_after_s = return_after_s
        self._current = self._origins[0]
        self._away_since = 0.0

    @property
    def current(self) -> str:
        return self._current

    def candidates(self, now: float) -> tuple[str, ...]:
        """All hosts, the current one first.

        When the first one is due for another try, it leads the order once: one call of many
        concurrent ones pays for a host that is still away.
        """
        order = [self._current]
        first = self._origins[0]
        if self._current != first and now - self._away_since >= self._return_after_s:
            self._away_since = now
            order.insert(0, first)
        return (*order, *(origin for origin in self._origins if origin not in order))

    def reached(self, origin: str, now: float) -> bool:
        """Note that `origin` took a call. True when this makes it the current host."""
        if origin == self._current:
            return False
        self._current = origin
        self._away_since = now
        return True
