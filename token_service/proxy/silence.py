"""How long the other side of a connection may say nothing while an answer is expected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Silence:
    """One timer for many calls: when it rings, it looks how long the silence is by then.

    Setting a timer for each call, and again whenever something is heard, would take longer than
    most of what else a call needs.
    """

    __slots__ = ("_at_most_s", "_heard_at", "_loop", "_timer", "_too_long", "_under_way")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        under_way: Callable[[], bool],
        too_long: Callable[[], None],
    ) -> None:
        """`too_long` is called once for a call that is `under_way` when nothing was heard of it."""
        self._loop = loop
        self._under_way = under_way
        self._too_long = too_long
        self._at_most_s = 0.0
        self._heard_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def allow(self, at_most_s: float) -> None:
        """From the next `heard` on, the other side may be silent for so long."""
        self._at_most_s = at_most_s
        self._heard_at = math.inf

    def excuse(self) -> None:
        """It is not heard because nobody listens: that doesn't count, until the next `heard`."""
        self._heard_at = math.inf

    def heard(self) -> None:
        """Something came, or it has become the other side's turn."""
        self._heard_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._at_most_s, self._ring)

    def stop(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if not self._under_way():
            return
        left_s = min(self._at_most_s, self._heard_at + self._at_most_s - self._loop.time())
        if left_s <= 0:
            self._too_long()
        else:
            self._timer = self._loop.call_later(left_s, self._ring)
