"""The life of pushes: tries in time, answers handed to the desk, an end for each. The I/O edge.

When to try again is decided in retries.py, what an answer is worth in judging.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from zhongkong.emulator.callbacks.course import Schedule
from zhongkong.emulator.callbacks.desk import PushDesk
from zhongkong.emulator.callbacks.postman import Postman
from zhongkong.emulator.callbacks.reception import PushRefused
from zhongkong.emulator.callbacks.retries import Await, End, next_step
from zhongkong.emulator.callbacks.verification import Verification, complaint, question
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from zhongkong.emulator.callbacks.configuration import CallbackSettings
    from zhongkong.emulator.callbacks.deliveries import Delivery
    from zhongkong.emulator.callbacks.desk import Sending
    from zhongkong.emulator.callbacks.messages import PushWish
    from zhongkong.emulator.callbacks.records import Outcome, PushRecord
    from zhongkong.emulator.world import World

UNDER_WAY_AT_MOST: Final = 10_000
CONNECTIONS_AT_MOST: Final = 512
"""Callbacks at one moment; more wait, and their deadline begins when they are sent."""

_CLOSE_WITHIN_S: Final = 1.0

log = get_logger()


class OfficeFull(Exception):
    """Too many pushes are under way; the message says how many may be."""


@dataclass(slots=True)
class Parcel:
    """A push on its way, at the desk where it was accepted. `first_ended`: its first try was."""

    push: PushRecord
    desk: PushDesk = field(repr=False)
    quiet: bool = False
    first_ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class Watcher(Protocol):
    """Looks on at the wire. Called at once and often: it neither waits nor raises."""

    def began(self, parcel: Parcel, sending: Sending) -> None: ...

    def settled(self, parcel: Parcel, sending: Sending, delivery: Delivery) -> None: ...

    def ended(self, parcel: Parcel) -> None: ...


class PostOffice:
    """One per emulator. `close` it in the end; without a running loop it only stands there."""

    def __init__(self, world: World, postman: Postman | None = None) -> None:
        self._world = world
        self._time = world.time
        self.postman = postman or Postman()
        self._owner: TaskOwner | None = None
        self._works: set[asyncio.Task[Any]] = set()
        self._slots = asyncio.Semaphore(CONNECTIONS_AT_MOST)
        self.watchers: list[Watcher] = []

    @property
    def desk(self) -> PushDesk:
        return PushDesk(self._world.model.platform)

    # ------------------------------------------------------------------ verification

    async def verify(self, settings: CallbackSettings) -> Verification:
        """Ask the URL to prove that it has the token. At most the deadline of a push; repeatable.

        Source: 4.2; the question is the same in all modes.
        """
        chance, now = self._world.model.platform.chance, self._time.now()
        nonce, echostr = (str(int(chance.uniform(10**low, 10 ** (low + 1)))) for low in (9, 18))
        asked = question(settings, int(now), nonce, echostr)
        deadline_s = self.desk.rules.push_deadline_s
        answer = await self.postman.get(settings.url, asked.query, deadline_s=deadline_s)
        wrong = complaint(asked, answer)
        log.info("callback_verified", passed=wrong is None, complaint=wrong)
        return Verification(
            at=now,
            url=settings.url,
            passed=wrong is None,
            detail=wrong or "the echostr came back",
        )

    # ------------------------------------------------------------------ pushes

    def send(
        self, appid: str, wishes: Sequence[PushWish], *, msg_id: int | None = None
    ) -> list[Parcel]:
        """Accept them all or none; nothing is sent before `start`. Raises PushRefused, OfficeFull.

        `msg_id` is given to every one of them.
        """
        if len(self._works) + len(wishes) > UNDER_WAY_AT_MOST:
            raise OfficeFull(f"{UNDER_WAY_AT_MOST} pushes are under way; wait, or reset")
        desk, now, monotonic = self.desk, self._time.now(), self._time.monotonic()
        parcels: list[Parcel] = []
        try:
            for wish in wishes:
                desk.check(appid, wish, now)
            for wish in wishes:
                push = desk.accept(appid, wish, now, monotonic, msg_id=msg_id)
                parcels.append(Parcel(push, desk))
        except PushRefused:
            self._abandon(*parcels)
            raise
        return parcels

    def start(self, parcel: Parcel) -> asyncio.Task[None]:
        """Carry it in a task of its own."""
        task = self.run(f"push {parcel.push.id}", self.carry(parcel))
        # A task that is cancelled before its first step never gets to its own `finally`.
        task.add_done_callback(lambda _: self._abandon(parcel))
        return task

    def start_in_turn(self, parcels: Sequence[Parcel], gap_s: float | None) -> asyncio.Task[None]:
        """One after the other: `gap_s` apart, or (None) when a try of the one before has ended."""
        task = self.run("pushes in turn", self._in_turn(parcels, gap_s))
        task.add_done_callback(lambda _: self._abandon(*parcels))
        return task

    async def carry(self, parcel: Parcel) -> None:
        """Try until it is answered well or given up. Once per push."""
        push, desk = parcel.push, parcel.desk
        schedule = Schedule.of(push.course, desk.rules)
        open_tries: set[asyncio.Task[None]] = set()
        outcome: Outcome = "stopped"
        try:
            outcome = await self._tries(parcel, schedule, open_tries)
        except PushRefused as refused:
            log.info("push_stopped", push=push.id, reason=str(refused))
        finally:
            for each in open_tries:
                each.cancel()
            desk.end(push, outcome, self._time.now())
            for watcher in self.watchers:
                watcher.ended(parcel)
            parcel.first_ended.set()

    async def stop_all(self) -> None:
        """Drop everything that is under way. The office goes on; may be repeated."""
        works = [each for each in self._works if each is not asyncio.current_task()]
        for each in works:
            each.cancel()
        if works:
            await asyncio.wait(works, timeout=_CLOSE_WITHIN_S)

    async def close(self) -> None:
        """Drop everything and close the connections. May be repeated."""
        if self._owner is not None:
            await self._owner.close(_CLOSE_WITHIN_S)
        await self.postman.close()

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Work that ends with the office, or at `stop_all`."""
        if self._owner is None:
            self._owner = TaskOwner(self._time, self.desk.platform.chance)
        task = self._owner.once(name, work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        return task

    # ------------------------------------------------------------------ one push

    async def _tries(
        self, parcel: Parcel, schedule: Schedule, open_tries: set[asyncio.Task[None]]
    ) -> Outcome:
        push = parcel.push
        while True:
            step = next_step(schedule, push.attempts, push.accepted)
            if isinstance(step, End):
                return step.outcome
            if isinstance(step, Await):
                await _first_of(open_tries)
                continue
            wait_s = step.at - self._time.monotonic()
            if wait_s > 0:
                await self._pause(wait_s, open_tries)
                continue
            sending = await self._begin(parcel, schedule, repeat=step.repeat)
            post = self._post(parcel, schedule, sending)
            if schedule.overlapping:
                task = asyncio.create_task(post, name=f"try of {push.id}")
                task.add_done_callback(lambda _: self._slots.release())
                open_tries.add(task)
                continue
            try:
                await post
            finally:
                self._slots.release()

    async def _begin(self, parcel: Parcel, schedule: Schedule, *, repeat: bool) -> Sending:
        """The next try, as soon as there is a connection for it; whoever posts it gives it back."""
        await self._slots.acquire()
        try:
            sending = parcel.desk.begin(
                parcel.push,
                self._time.now(),
                self._time.monotonic(),
                signs_anew=schedule.signs_anew,
                repeat=repeat,
            )
            for watcher in self.watchers:
                watcher.began(parcel, sending)
            return sending
        except BaseException:
            self._slots.release()
            raise

    async def _post(self, parcel: Parcel, schedule: Schedule, sending: Sending) -> None:
        desk, attempt = parcel.desk, sending.attempt
        delivery = await self.postman.post(
            sending.url,
            sending.letter,
            deadline_s=schedule.deadline_s,
            keep_open_s=schedule.keep_open_s,
            keep_alive=desk.rules.push_keep_alive,
        )
        desk.settle(parcel.push, sending, delivery, self._time.now(), self._time.monotonic())
        for watcher in self.watchers:
            watcher.settled(parcel, sending, delivery)
        parcel.first_ended.set()
        if not parcel.quiet:
            log.info(
                "callback_sent",
                push=attempt.push,
                attempt=attempt.number,
                status=attempt.status,
                answer=str(attempt.answer),
                took_s=attempt.took_s,
            )

    async def _pause(self, seconds: float, open_tries: set[asyncio.Task[None]]) -> None:
        """Until the time is over, or a try that is open ends."""
        if not open_tries:
            await self._time.sleep(seconds)
            return
        over = asyncio.ensure_future(self._time.sleep(seconds))
        try:
            await _first_of(open_tries, over)
        finally:
            over.cancel()

    # ------------------------------------------------------------------ several pushes

    async def _in_turn(self, parcels: Sequence[Parcel], gap_s: float | None) -> None:
        works = []
        for parcel in parcels:
            works.append(self.start(parcel))
            if gap_s is None:
                await parcel.first_ended.wait()
            else:
                await self._time.sleep(gap_s)
        await asyncio.wait(works)

    def _abandon(self, *parcels: Parcel) -> None:
        """End those that nobody has begun to carry."""
        for parcel in parcels:
            if parcel.push.outcome == "under_way":
                parcel.desk.end(parcel.push, "stopped", self._time.now())


async def _first_of(tries: set[asyncio.Task[None]], *others: asyncio.Future[None]) -> None:
    """Wait for the first to end; tries that ended leave the set, and their errors are raised."""
    done, _ = await asyncio.wait({*tries, *others}, return_when=asyncio.FIRST_COMPLETED)
    ended = done & tries
    tries -= ended
    for each in ended:
        each.result()
