"""One simulated process: a rotator behind its doors, and readers that use what it serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.simulation.chance import SeededRandomness
from tests.simulation.door import Door
from tests.simulation.loop import SkewedClock
from tests.simulation.store_door import StoreDoor
from tests.simulation.wechat_door import WeChatDoor
from token_service.rotator import Rotator
from token_service.served import NoLiveToken, TooSoon
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from tests.simulation.world import World


class SimulatedReplica:
    """One process: a rotator behind its doors, and readers that use what it serves."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.door = Door()
        self.clock = SkewedClock(world.chance.uniform(-90, 90))
        self._world = world
        store = StoreDoor(world.store, self.door, world.weather, world.chance)
        wechat = WeChatDoor(
            world.model, self.door, world.weather, world.chance, world.judge, name, "192.0.2.1"
        )
        self.rotator = Rotator(
            store,
            wechat,
            {"shop": world.plan},
            replica=name,
            clock=self.clock,
            randomness=SeededRandomness(f"{world.seed}/{name}"),
            observer=world.judge,
        )
        self._tasks = [
            asyncio.create_task(self.rotator.run()),
            asyncio.create_task(self._read()),
            asyncio.create_task(self._read()),
        ]

    async def crash(self) -> None:
        """kill -9: from now on nothing of it takes effect."""
        self.door.open = False
        self.door.resume()
        self._world.judge.crashed(self.name)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        """A user of the API: takes the token, calls WeChat, reports failures, at times wrongly."""
        world, chance, slot = self._world, self._world.chance, self._world.plan.slot
        while True:
            await asyncio.sleep(chance.uniform(2.0, 30.0))
            await self.door.pass_through()
            served = self.rotator.peek(slot)
            try:
                if served is None:
                    await self._wait_for_one()
                    continue
                world.judge.sample(self.name, served, self.door, world.plan)
                if not world.works(served.value) or chance.random() < 0.05:
                    await self.rotator.reject(slot, served.version)
                elif chance.random() < world.rotations:
                    await self.rotator.rotate(slot, reason="simulated")
            except (NoLiveToken, TooSoon, StoreUnavailable):
                continue

    async def _wait_for_one(self) -> None:
        """A clock that jumped, say, makes a read look at the store before it is answered."""
        try:
            await self.rotator.get(self._world.plan.slot, wait_s=5.0)
        except NoLiveToken:
            self._world.judge.sample(self.name, None, self.door, self._world.plan)
            raise
