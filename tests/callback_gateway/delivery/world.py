"""A dispatcher on virtual time: an inbox that can go away, and a network that a test scripts."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager

import orjson

from callback_gateway.delivery.dispatcher import Dispatcher
from callback_gateway.delivery.outcome import DELIVERED, Outcome
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import (
    Accepted,
    Arrival,
    DeadLetter,
    Delivery,
    Joined,
    Keeping,
    Selection,
    Settlement,
)
from callback_gateway.reply_board import ReplyBoard
from callback_gateway.targets import Target
from tests.callback_gateway.delivery.receivers import target_at
from tests.simulation import loop
from tests.simulation.chance import SeededRandomness
from tests.simulation.loop import SkewedClock
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.runtime.tasks import TaskOwner

OK = Outcome(DELIVERED, 200)
DOWN = Outcome("connection")

Script = Callable[[str], Awaitable[Outcome]]


class DoorInbox(MemoryInbox):
    """The inbox in memory behind a door that a test shuts."""

    def __init__(self, clock: SkewedClock) -> None:
        super().__init__(clock, SeededRandomness(1), Keeping())
        self.shut = False
        self.unsettled: Exception | None = None
        """What `settle` raises instead of settling."""
        self.calls: Counter[str] = Counter()
        self.settled: list[int] = []
        """How many settlements each call brought."""

    def _enter(self, name: str) -> None:
        self.calls[name] += 1
        if self.shut:
            raise StoreUnavailable("the door is shut")

    async def join(self, account: str, event_id: str, *, owner: str) -> Joined:
        self._enter("join")
        return await super().join(account, event_id, owner=owner)

    async def lease(self, wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        self._enter("lease")
        return await super().lease(wanted, owner=owner)

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        self._enter("renew")
        return await super().renew(deliveries)

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        self._enter("settle")
        if self.unsettled is not None:
            raise self.unsettled
        self.settled.append(len(settlements))
        await super().settle(settlements)

    async def next_due_in(self, targets: Sequence[str]) -> float | None:
        self._enter("next_due_in")
        return await super().next_due_in(targets)

    async def hasten(self, target: str) -> int:
        self._enter("hasten")
        return await super().hasten(target)

    async def disable(self, target: str, fingerprint: str) -> None:
        self._enter("disable")
        await super().disable(target, fingerprint)

    async def disabled(self) -> Mapping[str, str]:
        self._enter("disabled")
        return await super().disabled()


class Network:
    """The way to the targets: each answers as its script says, OK without one."""

    def __init__(self, clock: SkewedClock) -> None:
        self._clock = clock
        self.scripts: dict[str, Script] = {}
        self.sent: dict[str, list[tuple[float, str]]] = defaultdict(list)
        """When which event was sent, by target."""
        self.documents: list[bytes] = []
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def post(
        self, target: Target, event_id: str, document: bytes, *, wants_reply: bool
    ) -> Outcome:
        name = target.name
        self.sent[name].append((self._clock.monotonic(), event_id))
        self.documents.append(document)
        self.under_way[name] += 1
        self.most[name] = max(self.most[name], self.under_way[name])
        try:
            script = self.scripts.get(name)
            return OK if script is None else await script(event_id)
        finally:
            self.under_way[name] -= 1

    async def close(self) -> None:
        self.scripts.clear()

    def times(self, target: str) -> list[float]:
        """When attempts were made, to the millisecond."""
        return [round(at, 3) for at, _ in self.sent[target]]


def on_virtual_time(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Make a test of a coroutine that is run on virtual time."""

    def run() -> None:
        loop.run(test())

    return run


def says(*outcomes: Outcome) -> Script:
    """These outcomes one after the other, the last of them from then on."""
    left = list(outcomes)

    async def script(_: str) -> Outcome:
        return left.pop(0) if len(left) > 1 else left[0]

    return script


def takes(seconds: float, outcome: Outcome = OK) -> Script:
    """This outcome after so long."""

    async def script(_: str) -> Outcome:
        await asyncio.sleep(seconds)
        return outcome

    return script


async def hangs(_: str) -> Outcome:
    """No outcome ever."""
    await asyncio.Event().wait()
    return OK


class Observed:
    """What an observer was told."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, str]] = []
        self.deaths: list[tuple[str, str]] = []

    def attempted(self, target: str, outcome: str, took_s: float) -> None:
        self.attempts.append((target, outcome))

    def dead(self, target: str, reason: str) -> None:
        self.deaths.append((target, reason))


def arrival(
    event_id: str,
    *notify: str,
    replier: str | None = None,
    within_s: float = 14.5,
    kind: str = "wechat.message.text",
) -> Arrival:
    document = orjson.dumps({"id": event_id, "type": kind})
    return Arrival(
        event_id, "shop", document, notify=notify, replier=replier, reply_within_s=within_s
    )


class World:
    """One inbox and network; replicas are opened on them."""

    def __init__(self, *targets: str, concurrency: int = 16) -> None:
        self.clock = SkewedClock()
        self.inbox = DoorInbox(self.clock)
        self.network = Network(self.clock)
        self.targets: dict[str, Target] = {
            name: target_at("http://target", name, concurrency=concurrency) for name in targets
        }
        self.observed = Observed()
        self.schedule: tuple[float, ...] = (1.0, 5.0, 30.0)

    async def accept(self, *arrivals: Arrival, owner: str = "one") -> list[Accepted]:
        return await self.inbox.accept(arrivals, owner=owner)

    async def reply_lease(self, event_id: str, *, within_s: float = 14.5) -> Delivery:
        [accepted] = await self.accept(arrival(event_id, replier="crm", within_s=within_s))
        assert accepted.lease is not None
        return accepted.lease

    async def dead_letters(self) -> tuple[DeadLetter, ...]:
        return (await self.inbox.dead_letters(Selection())).letters

    @asynccontextmanager
    async def replica(self, owner: str = "one", *, running: bool = True) -> AsyncIterator[Replica]:
        async with TaskOwner(self.clock, SeededRandomness(2)) as tasks:
            yield Replica(self, owner, tasks, running=running)


class Replica:
    """A dispatcher and its board. `running` starts its loop."""

    def __init__(self, world: World, owner: str, tasks: TaskOwner, *, running: bool) -> None:
        self.board = ReplyBoard()
        self.tasks = tasks
        self.dispatcher = Dispatcher(
            world.inbox,
            lambda: world.targets,
            owner,
            clock=world.clock,
            randomness=_NoJitter(3),
            schedule=world.schedule,
            tasks=tasks,
            observer=world.observed,
            board=self.board,
            sender=world.network,
        )
        if running:
            tasks.keep("dispatcher", self.dispatcher.run)


class _NoJitter(SeededRandomness):
    def uniform(self, low: float, high: float) -> float:
        return low
