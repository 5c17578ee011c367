"""Redis comes back without what it held: the gateways go on by themselves, and say so.

One deployment of two replicas suffers one loss after the other under load; the tests look at what
was collected there.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

BETWEEN_S = 0.5
RATE = 25
NOT_YET_DELIVERED_S = 2.0
"""What was accepted so shortly before a loss may be lost with the store."""

_APPEND_ONLY = "appendonlydir"
_LINE = "inbox_store_lost"


@dataclass(frozen=True)
class Store:
    server: RedisServer
    folder: Path

    def keep(self) -> None:
        """Remember what it holds now."""
        self.forget_kept()
        shutil.copytree(self.folder / _APPEND_ONLY, self._kept)

    def forget_kept(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)

    def come_back_with_nothing(self) -> None:
        self.server.kill()
        shutil.rmtree(self.folder / _APPEND_ONLY)
        self.server.start()

    def come_back_with_what_was_kept(self) -> None:
        self.server.kill()
        shutil.rmtree(self.folder / _APPEND_ONLY)
        shutil.copytree(self._kept, self.folder / _APPEND_ONLY)
        self.server.start()

    @property
    def _kept(self) -> Path:
        return self.folder / "kept"


EMPTY: dict[str, Callable[[Store], None]] = {
    "emptied": lambda store: store.server.flush(),
    "replaced by one that had nothing": Store.come_back_with_nothing,
}
BEHIND = "replaced by one that was behind"
LOSSES = {**EMPTY, BEHIND: Store.come_back_with_what_was_kept}
SAID = dict.fromkeys(EMPTY, "emptied or replaced") | {BEHIND: "went back in time"}


@dataclass(frozen=True)
class Loss:
    """Unix seconds. `lines`: what each replica logged about it."""

    began: float
    ended: float
    lines: list[list[dict[str, Any]]]


@dataclass
class Evidence:
    losses: dict[str, list[Loss]] = field(default_factory=dict)
    reckoning: Reckoning | None = None
    counted: list[float] = field(default_factory=list)
    """The metric of each replica in the end, and `said`: how many such lines it has logged."""
    said: list[int] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    emptied: bool = False
    """In the end nothing was left to be delivered, neither in Redis nor in a spool."""

    @property
    def reckoned(self) -> Reckoning:
        assert self.reckoning is not None
        return self.reckoning

    @property
    def moments(self) -> list[Loss]:
        return [loss for losses in self.losses.values() for loss in losses]


def lines_of(replica: Replica, name: str) -> list[dict[str, Any]]:
    return [each for each in replica.events(_LINE) if each["what"] == SAID[name]]


async def suffer(deployed: World, store: Store, name: str) -> Loss:
    """Over when it was noticed, and something that came afterwards is delivered.

    That a store is behind is seen by the first replica that asks: the next one may find more in it
    than it knew of.
    """
    said = [len(lines_of(each, name)) for each in deployed.replicas]
    await asyncio.to_thread(store.keep)
    await pass_time(BETWEEN_S)
    began = CLOCK.now()
    await asyncio.to_thread(LOSSES[name], store)
    ended = CLOCK.now()

    enough = any if name == BEHIND else all

    async def noticed() -> bool:
        counts = [len(lines_of(each, name)) for each in deployed.replicas]
        return enough(now > before for now, before in zip(counts, said, strict=True))

    await in_time(noticed, "the replicas say that the store was lost")
    await deployed.deliver_one("what comes after a loss")
    lines = [
        lines_of(each, name)[before:] for each, before in zip(deployed.replicas, said, strict=True)
    ]
    return Loss(began, ended, lines)


async def all_reach(deployed: World) -> None:
    """Until no replica's status tells of the store's absence any more."""

    async def reach() -> bool:
        return all([(await each.status())["store"]["reachable"] for each in deployed.replicas])

    await in_time(reach, "each replica says that it reaches the store")


async def collect(folder: Path, emulator: EmulatorProcess, launch: Launch) -> Evidence:
    store = Store(RedisServer(folder / "redis"), folder / "redis")
    evidence = Evidence({name: [] for name in LOSSES})
    await asyncio.to_thread(store.server.start)
    try:
        async with world(folder / "world", emulator, launch) as deployed:
            for name in ("one", "two"):
                deployed.replica(name, store.server.url, settings={"durability": "process"})
            await deployed.open()
            async with deployed.load(rate=RATE) as load:
                await pass_time(BETWEEN_S)
                for _ in range(ROUNDS):
                    for name in LOSSES:
                        evidence.losses[name].append(await suffer(deployed, store, name))
            await asyncio.gather(deployed.emptied(), all_reach(deployed))
            evidence.emptied = True
            evidence.reckoning = await deployed.reckoned(load)
            evidence.counted = [await each.metric("losses_total") for each in deployed.replicas]
            evidence.said = [len(each.events(_LINE)) for each in deployed.replicas]
            evidence.statuses = [await each.status() for each in deployed.replicas]
            return evidence
    finally:
        await asyncio.to_thread(store.server.kill)


@pytest.fixture(scope="module")
def evidence(
    tmp_path_factory: pytest.TempPathFactory, emulator: EmulatorProcess, launch: Launch
) -> Evidence:
    found = asyncio.run(collect(tmp_path_factory.mktemp("losses"), emulator, launch))
    tell(f"{len(found.moments)} losses: {found.reckoned}")
    return found


@pytest.mark.slow
def test_what_comes_after_a_loss_is_delivered_and_before_it_only_the_last_moment_is_lost(
    evidence: Evidence,
) -> None:
    def in_a_loss(create_time: int) -> bool:
        return any(
            loss.began - NOT_YET_DELIVERED_S - 1 < create_time <= loss.ended
            for loss in evidence.moments
        )

    gone = evidence.reckoned.lost

    assert [key for key in gone if not in_a_loss(key[2])] == []
    assert evidence.reckoned.unknown == evidence.reckoned.split == frozenset()
    assert evidence.reckoned.answered == evidence.reckoned.sent


@pytest.mark.slow
@pytest.mark.parametrize("name", EMPTY)
def test_every_replica_says_once_that_redis_was(evidence: Evidence, name: str) -> None:
    for loss in evidence.losses[name]:
        assert [len(lines) for lines in loss.lines] == [1, 1]


@pytest.mark.slow
def test_a_replica_says_that_redis_went_back_in_time(evidence: Evidence) -> None:
    assert all(any(loss.lines) for loss in evidence.losses[BEHIND])


@pytest.mark.slow
def test_losses_are_counted_in_the_metrics(evidence: Evidence) -> None:
    assert evidence.counted == evidence.said
    assert min(evidence.counted) >= len(EMPTY) * ROUNDS


@pytest.mark.slow
def test_nothing_is_stuck_after_a_loss(evidence: Evidence) -> None:
    assert evidence.emptied
    for status in evidence.statuses:
        assert status["store"]["reachable"]
        assert status["failing_tasks"] == {}
