"""The disk is full: nothing is accepted that can't be kept, and all goes on when there is room."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.emulated import EmulatorProcess
from tests.chaos.gateway.asking import in_time
from tests.chaos.gateway.load import Load
from tests.chaos.gateway.reckoning import Reckoning
from tests.chaos.gateway.replica import Replica
from tests.chaos.gateway.small_disk import SmallDisk
from tests.chaos.gateway.telling import tell
from tests.chaos.gateway.world import World, world
from tests.chaos.rounds import ROUNDS
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer

MIB = 16
REFUSED = 20
RATE = 25


@pytest.fixture
def disk(tmp_path: Path) -> SmallDisk:
    disk = SmallDisk(tmp_path / "disk", MIB)
    disk.require()
    return disk


async def fill(deployed: World, replica: Replica, disk: SmallDisk) -> None:
    """Until the gateway says that it should get no callbacks, and has refused a number of them.

    What SQLite gives back meanwhile, such as a log that it has no use for, is filled again.
    """

    async def unready() -> bool:
        await asyncio.to_thread(disk.fill, replica.child.pid)
        return not await replica.is_ready()

    _, before = await deployed.refused(after=0)

    async def refuses() -> bool:
        refused, _ = await deployed.refused(before)
        return await unready() and refused >= REFUSED

    await in_time(refuses, "callbacks are refused")
    assert await unready()


async def free(replica: Replica, disk: SmallDisk) -> None:
    await asyncio.to_thread(disk.free, replica.child.pid)
    await replica.ready()


def judge(load: Load, reckoning: Reckoning) -> None:
    tell(f"{reckoning}; answers: {dict(load.answers)}, statuses: {dict(load.statuses)}")
    assert set(load.statuses) == {"200", "503"}
    assert set(load.answers) == {"success", "status"}
    assert reckoning.answered > 0
    assert reckoning.lost == reckoning.unknown == reckoning.split == frozenset()


@pytest.mark.slow
async def test_callbacks_are_refused_while_the_disk_of_the_store_is_full(
    tmp_path: Path, emulator: EmulatorProcess, launch: Launch, disk: SmallDisk
) -> None:
    async with world(tmp_path / "world", emulator, launch) as deployed:
        store = f"sqlite:///{disk.place}/events.db"
        replica = deployed.replica("only", store, wrapper=disk.wrapper)
        await deployed.open(heed_readiness=False)
        async with deployed.load(rate=RATE) as load:
            for _ in range(ROUNDS):
                await deployed.deliver_one("there is room")
                await fill(deployed, replica, disk)
                await free(replica, disk)
                await deployed.deliver_one("there is room again")
        reckoning = await deployed.delivered(load)
        await deployed.emptied()

    judge(load, reckoning)


@pytest.mark.slow
async def test_callbacks_are_refused_while_redis_is_away_and_the_disk_of_the_spool_is_full(
    tmp_path: Path, emulator: EmulatorProcess, launch: Launch, disk: SmallDisk
) -> None:
    server = RedisServer(tmp_path / "redis", appendfsync="always")
    await asyncio.to_thread(server.start)
    try:
        async with world(tmp_path / "world", emulator, launch) as deployed:
            settings = {"spool": f"sqlite:///{disk.place}/spool.db"}
            replica = deployed.replica("only", server.url, settings=settings, wrapper=disk.wrapper)
            await deployed.open(heed_readiness=False)
            for number in range(ROUNDS):
                if number:
                    await have_new_disk(replica)
                async with deployed.load(rate=RATE) as load:
                    await without_spool(deployed, server, replica, disk)
                judge(load, await deployed.delivered(load))
            await deployed.emptied()
    finally:
        await asyncio.to_thread(server.kill)


async def have_new_disk(replica: Replica) -> None:
    """In a spool that was full once there is room for a while. It leaves with nothing in it."""
    assert await replica.end() == 0
    await replica.start()


async def without_spool(
    deployed: World, server: RedisServer, replica: Replica, disk: SmallDisk
) -> None:
    """First the disk of the spool is full, which matters to nobody; then Redis goes away."""
    await asyncio.to_thread(disk.fill, replica.child.pid)
    await deployed.deliver_one("Redis has it")
    assert await replica.is_ready()
    await asyncio.to_thread(server.kill)
    await fill(deployed, replica, disk)
    await free(replica, disk)
    await asyncio.to_thread(server.start)
    await deployed.deliver_one("Redis is back")
