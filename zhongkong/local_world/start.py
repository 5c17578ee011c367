"""The start: every part at once, each of which begins as soon as those it needs are ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.local_world.plan import HOPELESS
from zhongkong.local_world.probe import look_at
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.local_world.plan import Part
    from zhongkong.local_world.processes import Household
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.lifecycle import Stop

READY_WITHIN_S: Final = 30.0
LAG_S: Final = 5.0
"""So long the world waits for a part that answers, isn't ready, and may lag."""

_LOOK_EVERY_S: Final = 0.03


class Start:
    """One start of a world. `lagging` has the parts that aren't ready, with their reasons."""

    def __init__(
        self, household: Household, parts: Sequence[Part], stop: Stop, clock: Clock
    ) -> None:
        self._household = household
        self._parts = parts
        self._stop = stop
        self._clock = clock
        self._begun_at: dict[str, float] = {}
        self._answered_at: dict[str, float] = {}
        self._done: set[str] = set()
        self.lagging: dict[str, str] = {}

    async def run(self) -> bool:
        """True when all is ready; False when a stop was requested before. Raises CannotStart."""
        for part in self._parts:
            await self._household.start(part)
        while len(self._done) < len(self._parts):
            for part in self._parts:
                if part.name not in self._done and self._done.issuperset(part.needs):
                    await self._advance(part)
            self._household.require_all()
            if await self._stop.wait(_LOOK_EVERY_S):
                return False
        return not self._stop.requested

    async def _advance(self, part: Part) -> None:
        now = self._clock.monotonic()
        if part.name not in self._begun_at:
            self._begun_at[part.name] = now
            self._household.begin(part)
        look = await look_at(part)
        if look is not None and look.is_ready:
            self._done.add(part.name)
        elif look is not None and part.may_lag and self._is_late(part, look.reason, now):
            self._done.add(part.name)
            self.lagging[part.name] = look.reason
        elif now - self._begun_at[part.name] >= READY_WITHIN_S:
            raise CannotStart(
                f"{part.name} isn't ready after {READY_WITHIN_S:.0f} s: "
                f"{part.ready_url} doesn't answer 200; its lines stand above"
            )

    def _is_late(self, part: Part, reason: str, now: float) -> bool:
        answered_at = self._answered_at.setdefault(part.name, now)
        return reason in HOPELESS or now - answered_at >= LAG_S
