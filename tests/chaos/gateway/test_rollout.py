"""Replicas on Redis are replaced one by one under load, as a rollout does it."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.emulated import EmulatorProcess
from tests.chaos.gateway.replica import Replica
from tests.chaos.gateway.telling import tell
from tests.chaos.gateway.world import CLOCK, World, world
from tests.chaos.patience import eventually
from tests.chaos.rounds import ROUNDS
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer

REPLACEMENTS = max(2, ROUNDS)
RATE = 25
GRACE_S = 8.0
"""The default."""
SETTINGS = {"durability": "process", "drain": "2500ms"}
"""It leaves slowly enough for a machine that stands still in between."""


@dataclass(frozen=True)
class Departure:
    """How one replica left."""

    code: int
    took_s: float
    accepted_unready: bool
    """After its readiness was false it still took connections."""


async def leave(deployed: World, replica: Replica) -> Departure:
    began = CLOCK.now()
    replica.child.send(signal.SIGTERM)

    async def unready() -> bool:
        return not await replica.is_ready()

    await eventually(unready, "its readiness is false")
    accepted = await accepts(replica)
    code = await replica.ended()
    took_s = CLOCK.now() - began
    deployed.front.backends = [
        each for each in deployed.front.backends if each.port != replica.port
    ]
    return Departure(code, took_s, accepted)


async def accepts(replica: Replica) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", replica.port)
    except OSError:
        return False
    writer.close()
    return True


async def replace(deployed: World, store: str, number: int) -> Departure:
    """The new one first, then the oldest leaves."""
    oldest = next(each for each in deployed.replicas if each.child.running)
    newcomer = deployed.replica(f"replacement-{number}", store, settings=SETTINGS)
    await newcomer.start()
    deployed.front.backends = [*deployed.front.backends, newcomer.backend]
    return await leave(deployed, oldest)


@pytest.mark.slow
async def test_a_rollout_under_load_refuses_and_loses_nothing(
    tmp_path: Path, emulator: EmulatorProcess, launch: Launch, redis_server: RedisServer
) -> None:
    async with world(tmp_path, emulator, launch) as deployed:
        for name in ("one", "two"):
            deployed.replica(name, redis_server.url, settings=SETTINGS)
        await deployed.open()
        async with deployed.load(rate=RATE) as load:
            departures = [
                await replace(deployed, redis_server.url, number) for number in range(REPLACEMENTS)
            ]
        reckoning = await deployed.delivered(load)
        slowest = max(each.took_s for each in departures)
        tell(f"{len(departures)} replaced, each in {slowest:.1f} s at most: {reckoning}")

    assert {each.code for each in departures} == {0}
    assert max(each.took_s for each in departures) <= GRACE_S
    assert all(each.accepted_unready for each in departures)
    assert set(load.answers) == {"success"}
    assert set(load.statuses) == {"200"}
    assert reckoning.answered == reckoning.sent
    assert reckoning.lost == reckoning.unknown == reckoning.split == frozenset()
    assert reckoning.twice == {}
