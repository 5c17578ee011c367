"""One process on the stage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.simulation.chance import Random, SeededRandomness
from tests.simulation.door import Door
from tests.simulation.loop import SkewedClock
from tests.simulation.store_door import StoreDoor
from tests.token_service.scenarios.line import Line
from token_service.rotator import Rotator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.token_service.scenarios.stage import Stage
    from token_service.plan import AccountPlan


class StagedReplica:
    """A rotator behind its doors. `wall` is its machine's clock."""

    def __init__(
        self, stage: Stage, name: str, address: str, accounts: Iterable[AccountPlan]
    ) -> None:
        self.name = name
        self.door = Door()
        self.wall = SkewedClock()
        self.rotator = Rotator(
            StoreDoor(stage.store, self.door, stage.weather, Random(name)),
            Line(stage, self.door, address),
            {plan.name: plan for plan in accounts},
            replica=name,
            clock=self.wall,
            randomness=SeededRandomness(name),
            observer=stage.events,
        )
        self._task = asyncio.create_task(self.rotator.run())

    async def kill(self) -> None:
        """As kill -9 does: nothing of it takes effect from now on."""
        self.door.open = False
        self.door.resume()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
