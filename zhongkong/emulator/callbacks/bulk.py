"""Many pushes: at a rate or as fast as so many hands can, and the sum of what came of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from zhongkong.emulator.callbacks.office import Parcel
from zhongkong.emulator.callbacks.reception import PushRefused
from zhongkong.emulator.callbacks.spread import Spread

if TYPE_CHECKING:
    from zhongkong.emulator.callbacks.bodies import BulkWish
    from zhongkong.emulator.callbacks.messages import PushWish
    from zhongkong.emulator.callbacks.office import PostOffice
    from zhongkong.emulator.callbacks.records import PushRecord
    from zhongkong.emulator.world import EmulatedTime


@dataclass(slots=True, kw_only=True)
class BulkRun:
    """What has come of it so far. `late_s`: how far behind its rate a push began, at worst."""

    id: str
    appid: str
    wish: BulkWish
    begun: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    tries: int = 0
    spread: Spread = field(default_factory=Spread)
    late_s: float = 0.0
    first_push: str | None = None
    last_push: str | None = None
    took_s: float = 0.0
    state: Literal["running", "done", "stopped", "refused"] = "running"
    problem: str | None = None

    def count(self, push: PushRecord) -> None:
        self.outcomes[push.outcome] += 1
        for each in push.attempts:
            self.tries += 1
            self.answers[str(each.answer)] += 1
            if each.status is not None:
                self.statuses[each.status] += 1
            if each.took_s is not None:
                self.spread.add(each.took_s)


class BulkLoad:
    """Carries one run out: `live` once, in a task of the office."""

    def __init__(self, run: BulkRun, office: PostOffice, time: EmulatedTime) -> None:
        self._run = run
        self._office = office
        self._desk = office.desk
        self._time = time
        self._next = 0
        self._begun_at = time.monotonic()
        self._has_number = run.wish.push.has_number

    async def live(self) -> None:
        """All pushes, or until one is refused: then the run says why."""
        run = self._run
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(run.wish.concurrency, run.wish.count)):
                    group.create_task(self._hand())
            if run.state == "running":
                run.state = "done"
        finally:
            if run.state == "running":
                run.state = "stopped"
            run.took_s = self._time.monotonic() - self._begun_at

    async def _hand(self) -> None:
        run, wish = self._run, self._run.wish
        while self._next < wish.count and run.state == "running":
            number, self._next = self._next, self._next + 1
            if wish.rate_per_s is not None:
                due = self._begun_at + number / wish.rate_per_s
                await self._time.sleep(max(0.0, due - self._time.monotonic()))
                run.late_s = max(run.late_s, self._time.monotonic() - due)
            await self._one(number)

    async def _one(self, number: int) -> None:
        run, now, monotonic = self._run, self._time.now(), self._time.monotonic()
        try:
            push = self._desk.accept(run.appid, self._wish(number), now, monotonic, brief=True)
        except PushRefused as refused:
            run.state, run.problem = "refused", str(refused)
            return
        run.begun += 1
        run.first_push = run.first_push or push.id
        run.last_push = push.id
        try:
            await self._office.carry(Parcel(push, self._desk, quiet=True))
        finally:
            run.count(push)
            run.took_s = self._time.monotonic() - self._begun_at

    def _wish(self, number: int) -> PushWish:
        wish = self._run.wish.push
        if wish.user is None:
            wish = replace(wish, user=f"oLoad{number % self._run.wish.users:023d}")
        return wish.numbered(number) if self._has_number else wish
