"""kill -9 of any process at any moment under load: nothing that WeChat was promised is lost.

Three deployments are struck at the same time, each by a chance of its own; the tests look at what
was collected there. In the end each has deliveries under way whose attempt is cut off.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.chaos.emulated import EmulatorProcess
from tests.chaos.gateway.asking import in_time
from tests.chaos.gateway.handler import HELD
from tests.chaos.gateway.reckoning import Reckoning
from tests.chaos.gateway.replica import Replica
from tests.chaos.gateway.telling import tell
from tests.chaos.gateway.world import CLOCK, World, world
from tests.chaos.patience import pass_time
from tests.chaos.rounds import ROUNDS
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer
from tests.simulation.chance import Random
from zhongkong.runtime.clock import SystemRandomness

MOST_KINDS = 5
"""Of blows that a deployment suffers."""
PLACES = ["SQLite", "Redis, to disk", *(["Redis"] if ROUNDS > 1 else [])]
PAUSE_S = (0.2, 1.0)
CADENCE_S = 2.0
"""Two repetitions outlast the restart of a lone gateway, mostly."""
CUT_OFF = 6
ANSWERED_A_KILL = 20
TAKEN_UP_S = 15.0
"""C8."""

Blow = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Evidence:
    """What came of one deployment. `taken_up_s`: after its cut, each delivery's next attempt."""

    seed: str
    struck: Counter[str]
    reckoning: Reckoning
    taken_up_s: tuple[float, ...]

    def __str__(self) -> str:
        blows = ", ".join(f"{what} {count}" for what, count in sorted(self.struck.items()))
        slowest = max(self.taken_up_s, default=-1.0)
        return (
            f"{self.reckoning}; killed: {blows}; taken up after {slowest:.1f} s (seed {self.seed})"
        )


async def kill_replica(replica: Replica) -> None:
    await asyncio.to_thread(replica.kill)
    await replica.start()


async def kill_handler(deployed: World) -> None:
    await asyncio.to_thread(deployed.handler.kill)
    await deployed.handler.start()


async def kill_redis(server: RedisServer) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def kill_redis_then(server: RedisServer, replica: Replica) -> None:
    """What the replica has in its spool outlives it."""
    await asyncio.to_thread(server.kill)
    await pass_time(0.5)
    await asyncio.to_thread(replica.kill)
    await asyncio.to_thread(server.start)
    await replica.start()


async def strike(blows: Mapping[str, Blow], chance: Random) -> Counter[str]:
    """Blow after blow at random moments; each kind comes, and as often as the others."""
    struck: Counter[str] = Counter()
    for _ in range(max(MOST_KINDS, ROUNDS)):
        fewest = min(struck[what] for what in blows)
        what = chance.choice([each for each in blows if struck[each] == fewest])
        await pass_time(chance.uniform(*PAUSE_S))
        await blows[what]()
        struck[what] += 1
    return struck


def held_ids(deployed: World) -> set[str]:
    return {each.id for each in deployed.handler.came() if each.held}


async def cut_attempts(deployed: World, cut: Callable[[], Awaitable[float]]) -> float:
    """Kill who is in the middle of some deliveries, and tell when."""
    await deployed.push(HELD, CUT_OFF)

    async def all_held() -> bool:
        return len(held_ids(deployed)) == CUT_OFF

    await in_time(all_held, "the attempts are under way")
    return await cut()


async def taken_up(deployed: World, cut_at: float) -> tuple[float, ...]:
    """How long after the cut each delivery that was under way began anew."""

    def again() -> dict[str, float]:
        ids = held_ids(deployed)
        came = [each for each in deployed.handler.came() if each.id in ids and not each.held]
        return {each.id: each.at for each in reversed(came)}

    async def all_again() -> bool:
        return len(again()) == CUT_OFF

    await in_time(all_again, "what was cut off was taken up", within_s=2 * TAKEN_UP_S)
    return tuple(at - cut_at for at in again().values())


async def on_sqlite(folder: Path, emulator: EmulatorProcess, launch: Launch) -> Evidence:
    async with world(folder, emulator, launch) as deployed:
        replica = deployed.replica("only")
        blows: dict[str, Blow] = {
            "gateway": lambda: kill_replica(replica),
            "handler": lambda: kill_handler(deployed),
        }

        async def restart() -> float:
            killed_at = CLOCK.now()
            await kill_replica(replica)
            return killed_at

        return await collect(deployed, blows, restart)


async def on_redis(
    folder: Path,
    emulator: EmulatorProcess,
    launch: Launch,
    durability: Literal["disk", "process"],
) -> Evidence:
    fsync: Literal["always", "everysec"] = "always" if durability == "disk" else "everysec"
    server = RedisServer(folder.with_suffix(".redis"), appendfsync=fsync)
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(server.start)
        stack.callback(server.kill)
        deployed = await stack.enter_async_context(world(folder, emulator, launch))
        settings = {"durability": durability}
        one, two = (
            deployed.replica(name, server.url, settings=settings) for name in ("one", "two")
        )
        blows: dict[str, Blow] = {
            "gateway one": lambda: kill_replica(one),
            "gateway two": lambda: kill_replica(two),
            "handler": lambda: kill_handler(deployed),
        }
        if durability == "disk":
            blows["Redis"] = lambda: kill_redis(server)
            blows["Redis, then gateway one"] = lambda: kill_redis_then(server, one)

        async def leave_it_to_the_other() -> float:
            await two.start()
            killed_at = CLOCK.now()
            await asyncio.to_thread(one.kill)
            return killed_at

        async def alone() -> None:
            """All attempts are begun by replica one."""
            await asyncio.to_thread(two.kill)

        return await collect(deployed, blows, leave_it_to_the_other, before_cut=alone)


async def nothing() -> None:
    pass


async def collect(
    deployed: World,
    blows: Mapping[str, Blow],
    cut: Callable[[], Awaitable[float]],
    *,
    before_cut: Blow = nothing,
) -> Evidence:
    seed = SystemRandomness().token(4)
    await deployed.open()
    async with deployed.load(cadence_s=CADENCE_S) as load:
        struck = await strike(blows, Random(seed))
        await before_cut()
        cut_at = await cut_attempts(deployed, cut)
    taken_up_s = await taken_up(deployed, cut_at)
    reckoning = await deployed.delivered(load)
    return Evidence(seed, struck, reckoning, taken_up_s)


async def collect_all(
    folder: Path, emulator: EmulatorProcess, launch: Launch
) -> dict[str, Evidence]:
    ways: dict[str, Callable[[], Coroutine[Any, Any, Evidence]]] = {
        "SQLite": lambda: on_sqlite(folder / "sqlite", emulator, launch),
        "Redis, to disk": lambda: on_redis(folder / "disk", emulator, launch, "disk"),
        "Redis": lambda: on_redis(folder / "process", emulator, launch, "process"),
    }
    async with asyncio.TaskGroup() as group:
        tasks = {place: group.create_task(ways[place]()) for place in PLACES}
    return {place: task.result() for place, task in tasks.items()}


@pytest.fixture(scope="module")
def all_evidence(
    tmp_path_factory: pytest.TempPathFactory, emulator: EmulatorProcess, launch: Launch
) -> dict[str, Evidence]:
    found = asyncio.run(collect_all(tmp_path_factory.mktemp("kills"), emulator, launch))
    for name, evidence in found.items():
        tell(f"{name}: {evidence}")
    return found


@pytest.fixture(params=PLACES)
def evidence(request: pytest.FixtureRequest, all_evidence: dict[str, Evidence]) -> Evidence:
    return all_evidence[request.param]


@pytest.mark.slow
def test_every_event_answered_positively_is_delivered_whoever_is_killed(
    evidence: Evidence,
) -> None:
    assert evidence.reckoning.lost == frozenset()
    assert evidence.reckoning.unknown == frozenset()
    assert min(evidence.struck.values()) > 0
    assert evidence.reckoning.answered >= ANSWERED_A_KILL * evidence.struck.total()


@pytest.mark.slow
def test_an_event_has_one_id_and_no_other_event_has_it_whoever_is_killed(
    evidence: Evidence,
) -> None:
    assert evidence.reckoning.split == frozenset()


@pytest.mark.slow
def test_a_delivery_whose_attempt_was_cut_off_is_taken_up_within_15_s(evidence: Evidence) -> None:
    assert len(evidence.taken_up_s) == CUT_OFF
    assert max(evidence.taken_up_s) <= TAKEN_UP_S
