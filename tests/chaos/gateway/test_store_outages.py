"""Redis is silent, or killed, for a while under load: no callback is refused, none comes twice.

Both outages happen at the same time, in two deployments of two replicas each; the tests look at
what was collected there.

What may come twice: a delivery that was begun shortly before the outage or in it, for the store
can't be told then that it was made. What may not: anything that was delivered before, though
WeChat sends it again while the store is away; and what came in the outage for the first time.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.chaos.emulated import EmulatorProcess
from tests.chaos.gateway.asking import in_time
from tests.chaos.gateway.reckoning import Reckoning
from tests.chaos.gateway.replica import Replica
from tests.chaos.gateway.telling import tell
from tests.chaos.gateway.world import CLOCK, World, world
from tests.chaos.patience import pass_time
from tests.chaos.rounds import ROUNDS
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer

OUTAGE_S = 3.0 if ROUNDS == 1 else 6.0
"""Or until what WeChat sends again has come, where that takes longer."""
REPEATED_AFTER_S = 6.0
"""A slow machine still has the outage begun by then."""
RATE = 25
LONG_OUTAGE_S = 30.0
KNOWN = 20
"""Messages that WeChat sends again in the middle of the first outage."""
SETTLED_S = 1.5
"""So long after a delivery the store has been told of it, for sure."""
ATTEMPT_S = 1.5
"""An attempt that was under way when the store came back has ended by then."""
_LOOK_EVERY_S = 0.2

Act = Callable[[RedisServer], None]


def silence(server: RedisServer) -> None:
    server.child.send(signal.SIGSTOP)


def wake(server: RedisServer) -> None:
    server.child.send(signal.SIGCONT)


@dataclass(frozen=True)
class Outage:
    """Unix seconds."""

    began: float
    ended: float

    def holds(self, at: float) -> bool:
        return self.began < at < self.ended


@dataclass
class Evidence:
    outages: list[Outage] = field(default_factory=list)
    unready: list[float] = field(default_factory=list)
    """When a replica was found not to be ready."""
    noticed: int = 0
    """How often replicas showed `store_away` 1, events in the spool, and `store_away` 0 again."""
    answers: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    repeated_at: list[float] = field(default_factory=list)
    """When WeChat sent again what it had an answer to."""
    repeats_answered: int = 0
    reckoning: Reckoning | None = None
    spooled: int = 0
    """Deliveries of what had been in a spool."""

    @property
    def reckoned(self) -> Reckoning:
        assert self.reckoning is not None
        return self.reckoning

    def late_repetitions(self) -> list[Sequence[float]]:
        """Deliveries made twice of which the store must have known."""
        return [
            times
            for times in self.reckoned.twice.values()
            if not any(
                outage.began - SETTLED_S < times[0] < outage.ended + ATTEMPT_S
                for outage in self.outages
            )
        ]


async def outage(
    deployed: World, server: RedisServer, acts: tuple[Act, Act], for_s: float, known: Sequence[str]
) -> Outage:
    """Over when each replica has shown it, those known were sent again, and so long has passed."""
    act, undo = acts
    began = CLOCK.now()
    await asyncio.to_thread(act, server)

    async def all_away() -> bool:
        return all([await shows_outage(each) for each in deployed.replicas])

    async def all_repeated() -> bool:
        return len(await repetitions(deployed, known)) == len(known)

    await in_time(all_away, "all replicas show that the store is away")
    await in_time(all_repeated, "WeChat has sent the known messages again")
    await pass_time(max(0.0, for_s - (CLOCK.now() - began)))
    await asyncio.to_thread(undo, server)
    ended = CLOCK.now()

    async def all_back() -> bool:
        away = [await each.metric("store_away") for each in deployed.replicas]
        return away == [0.0] * len(away)

    await in_time(all_back, "all replicas show that the store is back")
    return Outage(began, ended)


async def repetitions(deployed: World, known: Sequence[str]) -> list[dict[str, Any]]:
    """The tries that came after an answer, and were answered too."""
    tries = await asyncio.gather(*(deployed.tries(push) for push in known))
    return [each for one in tries for each in one if each["repeat"] and each["ok"] is not None]


async def shows_outage(replica: Replica) -> bool:
    away = await replica.metric("store_away") == 1.0
    return away and await replica.metric("spool_events") > 0.0


async def watch_readiness(replicas: Sequence[Replica], unready: list[float]) -> None:
    while True:
        answers = await asyncio.gather(*(each.is_ready() for each in replicas))
        if not all(answers):
            unready.append(CLOCK.now())
        await pass_time(_LOOK_EVERY_S)


async def send_known(deployed: World) -> list[str]:
    """Messages that are delivered now, and that WeChat sends once more in the first outage."""
    before = len(deployed.handler.done())
    course = {"duplicates": 1, "duplicate_after_s": REPEATED_AFTER_S}
    pushes = await deployed.push("known", KNOWN, **course)

    async def all_done() -> bool:
        return len(deployed.handler.done()) >= before + KNOWN

    await in_time(all_done, "the messages that will be repeated are delivered")
    return pushes


async def collect(
    folder: Path,
    emulator: EmulatorProcess,
    launch: Launch,
    acts: tuple[Act, Act],
    durability: Literal["disk", "process"],
) -> Evidence:
    fsync: Literal["always", "everysec"] = "always" if durability == "disk" else "everysec"
    server = RedisServer(folder.with_suffix(".redis"), appendfsync=fsync)
    await asyncio.to_thread(server.start)
    try:
        async with world(folder, emulator, launch) as deployed:
            for name in ("one", "two"):
                deployed.replica(name, server.url, settings={"durability": durability})
            await deployed.open()
            return await look_on(deployed, server, acts)
    finally:
        wake(server)
        await asyncio.to_thread(server.kill)


async def look_on(deployed: World, server: RedisServer, acts: tuple[Act, Act]) -> Evidence:
    evidence = Evidence()
    watching = asyncio.create_task(watch_readiness(deployed.replicas, evidence.unready))
    try:
        async with deployed.load(rate=RATE) as load:
            known = await send_known(deployed)
            await pass_time(SETTLED_S)
            for number in range(ROUNDS):
                for_s = LONG_OUTAGE_S if number == 0 and ROUNDS > 1 else OUTAGE_S
                evidence.outages.append(await outage(deployed, server, acts, for_s, known))
                evidence.noticed += 1
                await load.settled()
        evidence.reckoning = await deployed.delivered(load)
        await deployed.emptied()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    evidence.reckoning = await deployed.delivered(load)
    evidence.answers, evidence.statuses = load.answers, load.statuses
    evidence.spooled = sum(each.spooled for each in deployed.handler.done())
    repeats = await repetitions(deployed, known)
    evidence.repeated_at = [each["at"] for each in repeats]
    evidence.repeats_answered = sum(each["ok"] is True for each in repeats)
    return evidence


async def collect_all(
    folder: Path, emulator: EmulatorProcess, launch: Launch
) -> dict[str, Evidence]:
    suspend, kill = (silence, wake), (RedisServer.kill, RedisServer.start)
    async with asyncio.TaskGroup() as group:
        silent = group.create_task(collect(folder / "silent", emulator, launch, suspend, "process"))
        killed = group.create_task(collect(folder / "killed", emulator, launch, kill, "disk"))
    return {"silent": silent.result(), "killed": killed.result()}


@pytest.fixture(scope="module")
def all_evidence(
    tmp_path_factory: pytest.TempPathFactory, emulator: EmulatorProcess, launch: Launch
) -> dict[str, Evidence]:
    found = asyncio.run(collect_all(tmp_path_factory.mktemp("outages"), emulator, launch))
    for name, evidence in found.items():
        lengths = ", ".join(f"{each.ended - each.began:.1f} s" for each in evidence.outages)
        tell(
            f"Redis {name} for {lengths}: {evidence.reckoned}, through the spool "
            f"{evidence.spooled}, sent again {len(evidence.repeated_at)}"
        )
    return found


@pytest.fixture(params=["silent", "killed"])
def evidence(request: pytest.FixtureRequest, all_evidence: dict[str, Evidence]) -> Evidence:
    return all_evidence[request.param]


@pytest.mark.slow
def test_no_callback_is_refused_while_redis_is_away(evidence: Evidence) -> None:
    assert set(evidence.answers) == {"success"}
    assert set(evidence.statuses) == {"200"}
    assert evidence.reckoned.answered == evidence.reckoned.sent
    assert evidence.repeats_answered == KNOWN


@pytest.mark.slow
def test_what_came_while_redis_was_away_is_delivered_afterwards(evidence: Evidence) -> None:
    assert evidence.reckoned.lost == frozenset()
    assert evidence.reckoned.unknown == frozenset()
    assert evidence.reckoned.split == frozenset()
    assert evidence.spooled > 0


@pytest.mark.slow
def test_the_spool_is_drained_without_delivering_twice_what_the_store_knew(
    evidence: Evidence,
) -> None:
    first = evidence.outages[0]

    assert len(evidence.repeated_at) == KNOWN
    assert all(first.holds(at) for at in evidence.repeated_at)
    assert evidence.late_repetitions() == []


@pytest.mark.slow
def test_a_gateway_stays_ready_and_shows_the_outage_while_redis_is_away(
    evidence: Evidence,
) -> None:
    assert evidence.unready == []
    assert evidence.noticed == ROUNDS
