"""The loop that leases what is due and has it attempted; and the one door to delivery.

What to lease is decided in choice, what an outcome means in verdict, how it is sent in http.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from callback_gateway.delivery import choice
from callback_gateway.delivery.attempts import Attempts
from callback_gateway.delivery.backoff import Backoff
from callback_gateway.delivery.disabled import Disabled
from callback_gateway.delivery.http import Sender
from callback_gateway.delivery.leases import Leases
from callback_gateway.delivery.notify_runner import NotifyRunner
from callback_gateway.delivery.parts import Parts
from callback_gateway.delivery.places import Places
from callback_gateway.delivery.recovery import Recoveries
from callback_gateway.delivery.reply_body import answering_of
from callback_gateway.delivery.reply_runner import ReplyRunner
from callback_gateway.delivery.reports import Reports
from callback_gateway.delivery.settling import Settler
from callback_gateway.delivery.upkeep import hasten_retries, look_after_targets
from callback_gateway.delivery.waits import set_within
from callback_gateway.delivery.work import Work
from callback_gateway.inbox.records import Kind, Release
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from callback_gateway.delivery.attempts import Post
    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Delivery
    from callback_gateway.observers import DeliveryObserver
    from callback_gateway.reply_board import ReplyBoard
    from callback_gateway.targets import Target
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.tasks import TaskOwner

log = get_logger()


class Dispatcher:
    """Delivers what an inbox holds. `run` is its loop; `drain` ends it for good."""

    def __init__(  # noqa: PLR0913 - the door to a subsystem takes all that it needs
        self,
        inbox: Inbox,
        targets: Callable[[], Mapping[str, Target]],
        owner: str,
        *,
        clock: Clock,
        randomness: Randomness,
        schedule: Sequence[float],
        tasks: TaskOwner,
        observer: DeliveryObserver,
        board: ReplyBoard,
        answering: Callable[[bytes], str] = answering_of,
        sender: Post | None = None,
    ) -> None:
        """`targets` gives those in force; `schedule` the waits between attempts, in seconds."""
        self._tasks = tasks
        self._sender = sender or Sender(clock)
        self._recoveries = Recoveries()
        self._leases = Leases(inbox, clock)
        reports = Reports(observer)
        self._parts = Parts(
            inbox=inbox,
            owner=owner,
            targets=targets,
            schedule=schedule,
            clock=clock,
            randomness=randomness,
            leases=self._leases,
            settler=Settler(inbox, self._leases, clock, tasks),
            attempts=Attempts(
                self._sender, reports, self._recoveries, clock, recovered=self._recovered
            ),
            reports=reports,
            work=Work(tasks),
        )
        self._disabled = Disabled(inbox)
        self._notifies = NotifyRunner(self._parts, self._disabled)
        self._replies = ReplyRunner(self._parts, board, answering)
        self._places = Places()
        self._more: frozenset[str] = frozenset()
        """Targets that had at least as much due as there were places."""
        self._in_vain = 0
        self._woken = asyncio.Event()
        self._draining = asyncio.Event()
        self._left = asyncio.Event()
        self._left.set()
        self._kept = False
        self._backoff = Backoff()

    def wake(self) -> None:
        """Something was accepted here that may be due."""
        self._woken.set()

    def run_reply(self, delivery: Delivery) -> None:
        """Ask for a reply at once, under the lease that `accept` or `join` gave.

        It waits for no notify. The outcome is posted on the board.
        """
        self._keep_leases()
        self._replies.begin(delivery)

    def attempts(self, event_id: str) -> bool:
        """Whether a reply begun by `run_reply` is under way: the board will be told."""
        return self._replies.attempts(event_id)

    async def run(self) -> None:
        """Lease and begin until `drain`. May be started again after a crash."""
        self._keep_leases()
        self._left.clear()
        try:
            await self._disabled.refresh()
            while not self._draining.is_set():
                await self._turn()
        finally:
            self._left.set()

    async def drain(self, timeout_s: float) -> None:
        """Lease no more, give back what hasn't begun, and let attempts under way end.

        Those that take longer than `timeout_s` are cut off: their leases lapse. Then all
        connections are closed.
        """
        self._draining.set()
        self._woken.set()
        self._replies.stop()
        try:
            async with asyncio.timeout(timeout_s):
                await self._left.wait()
                await self._parts.work.ended()
                await self._parts.settler.quiet()
        except TimeoutError:
            log.warning("drain_cut_short", attempts=self._parts.work.count, timeout_s=timeout_s)
        finally:
            self._leases.stop()
            await self._parts.work.cut_off()
            await self._sender.close()

    async def _turn(self) -> None:
        """Lease once, begin what came, and wait until there may be more."""
        self._woken.clear()
        wanted = choice.wanted(self._parts.targets(), self._places)
        try:
            leased: list[Delivery] = []
            if wanted:
                leased = await self._parts.inbox.lease(wanted, owner=self._parts.owner)
            self._begin(leased)
            pause_s = await self._pause_s(wanted, leased)
        except StoreUnavailable as problem:
            if not self._backoff.failing:
                log.warning("deliveries_not_leased", why=str(problem))
            await set_within(self._draining, self._backoff.next_s())
            return
        self._backoff.reset()
        await set_within(self._woken, pause_s)

    def _begin(self, leased: list[Delivery]) -> None:
        targets = self._parts.targets()
        for delivery in leased:
            hold = self._leases.hold(delivery)
            target = targets.get(delivery.target)
            if target is None or self._draining.is_set():
                self._parts.settler.settle(hold, Release())
                continue
            self._places.take(target.name)
            runner = self._notifies.begin
            if delivery.kind is Kind.REPLY:
                runner = self._replies.begin_placed
            runner(hold, target, partial(self._leave, target.name))

    async def _pause_s(self, wanted: Mapping[str, int], leased: list[Delivery]) -> float:
        """How long nothing can be due for the targets that have places."""
        came = Counter(delivery.target for delivery in leased)
        full = {name for name, count in came.items() if count >= wanted[name]}
        self._more = (self._more - wanted.keys()) | full
        idle = choice.wanted(self._parts.targets(), self._places).keys()
        if self._woken.is_set() or not idle:
            return choice.POLL_S
        next_due_s = await self._parts.inbox.next_due_in(list(idle))
        self._in_vain = 0 if leased or next_due_s else self._in_vain + 1
        return choice.pause_s(next_due_s, self._in_vain)

    def _leave(self, target: str, again_in_s: float | None) -> None:
        self._places.leave(target)
        if again_in_s is not None and again_in_s < choice.POLL_S:
            # The pause was chosen before this was due; the next one takes longer waits in.
            asyncio.get_running_loop().call_later(again_in_s, self.wake)
        if target in self._more:
            self._woken.set()

    def _recovered(self, target: str) -> None:
        work = hasten_retries(self._parts.inbox, target, self.wake)
        self._tasks.once("hasten_retries", work)

    def _keep_leases(self) -> None:
        """Start what goes on beside the loop, once."""
        if not self._kept and not self._draining.is_set():
            self._kept = True
            self._tasks.keep("delivery_leases", self._leases.keep)
            upkeep = partial(
                look_after_targets, self._parts, self._disabled, self._recoveries, self._draining
            )
            self._tasks.keep("delivery_upkeep", upkeep)
