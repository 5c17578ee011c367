"""Reply deliveries: asked at once, in places of their own, again and again inside the window.

A failed attempt is settled like any other, so that its wait outlives this process; the lease of the
next one is taken back when it is due. Who waits for the answer stands on the reply board.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from callback_gateway.delivery.gates import Gates
from callback_gateway.delivery.places import Places
from callback_gateway.delivery.verdict import Judgement, hopeless_reply, judge_reply
from callback_gateway.delivery.waits import set_within, true_within
from callback_gateway.inbox.records import Dead, Done, Release, ReplyState, Retry
from callback_gateway.reply_board import ReplyOutcome
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback_gateway.delivery.leases import Hold
    from callback_gateway.delivery.notify_runner import Leave
    from callback_gateway.delivery.outcome import Outcome
    from callback_gateway.delivery.parts import Parts
    from callback_gateway.inbox.records import Delivery
    from callback_gateway.reply_board import ReplyBoard
    from callback_gateway.targets import Target

LOOK_EVERY_S: Final = 0.25
"""How often the store is asked about an attempt that somebody else makes."""
POST_AT_LATEST_S: Final = 0.5
"""An answer goes out when it is stored, or after this: a store that is away must not hold it up."""
WAITING_PER_PLACE: Final = 8
"""Replies of a target that may wait for a place or for their next attempt."""

log = get_logger()


class ReplyRunner:
    """Asks targets for replies and posts what became of it."""

    def __init__(self, parts: Parts, board: ReplyBoard, answering: Callable[[bytes], str]) -> None:
        """`answering` tells from a document which message type the reply answers."""
        self._parts = parts
        self._board = board
        self._answering = answering
        self._gates = Gates()
        self._room = Places()
        self._asking = Places()
        self._stopping = asyncio.Event()

    def begin(self, delivery: Delivery) -> None:
        """Take charge of a lease and ask until there is an answer, or nobody can hear it."""
        hold = self._parts.leases.hold(delivery)
        target = self._parts.targets().get(delivery.target)
        if self._stopping.is_set():
            self._turn_away(hold, "stopping")
        elif target is None:
            self._turn_away(hold, "target_unknown")
        elif self._room.taken(target.name) >= target.concurrency * (1 + WAITING_PER_PLACE):
            self._turn_away(hold, "target_full")
        else:
            self._room.take(target.name)
            self._asking.take(delivery.event_id)
            self._parts.work.begin("reply", self._run(hold))

    def begin_placed(self, hold: Hold, target: Target, leave: Leave) -> None:
        """Make the one attempt that a lease found due is for; it has a place, `leave` ends it."""
        self._parts.work.begin("reply", self._run_placed(hold, target, leave))

    def attempts(self, event_id: str) -> bool:
        """Whether `begin` is at work for this event; the board is told in the end."""
        return self._asking.taken(event_id) > 0

    def stop(self) -> None:
        """Begin no attempt any more, and let go of what waits."""
        self._stopping.set()
        self._gates.close()

    async def _run(self, hold: Hold) -> None:
        delivery, current = hold.delivery, hold
        try:
            while (following := await self._ask(current)) is not None:
                current = following
        finally:
            self._parts.leases.let_go(current)
            self._room.leave(delivery.target)
            self._asking.leave(delivery.event_id)
            self._post(delivery, None)

    async def _run_placed(self, hold: Hold, target: Target, leave: Leave) -> None:
        again_in_s = None
        try:
            judgement, told = await self._attempt(hold, target)
            result = judgement.result
            if not isinstance(result, Retry) and not hold.void:
                await self._conclude(hold, judgement, told)
            if await told and isinstance(result, Retry):
                again_in_s = result.after_s
        finally:
            self._parts.leases.let_go(hold)
            leave(again_in_s)

    async def _ask(self, hold: Hold) -> Hold | None:
        """One attempt and what follows; the next lease when there is to be another."""
        name = hold.delivery.target
        target = self._parts.targets().get(name)
        if target is None:
            self._turn_away(hold, "target_unknown")
            return None
        if not await self._gates.enter(name, target.concurrency, self._left_s(hold)):
            self._turn_away(hold, "target_full")
            return None
        try:
            judgement, told = await self._attempt(hold, target)
        finally:
            self._gates.leave(name)
        if isinstance(judgement.result, Done) or not (
            hold.void or isinstance(judgement.result, Retry)
        ):
            await self._conclude(hold, judgement, told)
            return None
        return await self._again(hold, judgement.result, told)

    async def _attempt(self, hold: Hold, target: Target) -> tuple[Judgement, asyncio.Future[bool]]:
        """Make and settle one attempt; the future tells whether the store knows."""
        parts, delivery, attempt = self._parts, hold.delivery, None
        hopeless = hopeless_reply(delivery, self._left_s(hold))
        if hopeless is not None:
            judgement = Judgement(hopeless, hopeless.reason)
        else:
            judge = partial(self._judge, hold)
            judgement, attempt = await parts.attempts.make(delivery, target, judge)
        told = parts.settler.settled(hold, judgement.result, attempt)
        if isinstance(judgement.result, Dead):
            told.add_done_callback(partial(self._report, delivery, judgement.result.reason))
        return judgement, told

    async def _conclude(self, hold: Hold, judgement: Judgement, told: asyncio.Future[bool]) -> None:
        """Post the end of it; its lease is kept until the store knows."""
        await true_within(told, POST_AT_LATEST_S)
        result = judgement.result
        self._post(hold.delivery, result.reply if isinstance(result, Done) else None)
        await told

    async def _again(
        self, hold: Hold, result: Retry | Dead, told: asyncio.Future[bool]
    ) -> Hold | None:
        """Wait for the next attempt and take its lease, or see what somebody else makes of it."""
        wait_s = result.after_s if isinstance(result, Retry) else LOOK_EVERY_S
        if not await true_within(told, wait_s) and not hold.void:
            # Without its store the event can be delivered later, and nobody waits that long.
            self._post(hold.delivery, None)
            await told
            return None
        parts, delivery = self._parts, hold.delivery
        while wait_s < self._left_s(hold) and not await set_within(self._stopping, wait_s):
            wait_s = LOOK_EVERY_S
            try:
                joined = await parts.inbox.join(
                    delivery.account, delivery.event_id, owner=parts.owner
                )
            except StoreUnavailable:
                continue
            if joined.lease is not None:
                return parts.leases.hold(joined.lease)
            if joined.reply_state is not ReplyState.RUNNING:
                self._post(delivery, joined.reply)
                break
        return None

    def _judge(self, hold: Hold, outcome: Outcome) -> Judgement:
        document = hold.delivery.document
        return judge_reply(
            outcome,
            hold.delivery.failures,
            self._parts.schedule,
            self._parts.randomness.uniform(0.0, 1.0),
            left_s=self._left_s(hold),
            answering=self._answering(document) if outcome.delivered else "",
        )

    def _turn_away(self, hold: Hold, why: str) -> None:
        """Leave it to whoever leases it next; who waits for the answer here waits no more."""
        delivery = hold.delivery
        log.info("reply_turned_away", event_id=delivery.event_id, target=delivery.target, why=why)
        self._parts.settler.settle(hold, Release())
        self._post(delivery, None)

    def _left_s(self, hold: Hold) -> float:
        return hold.window_left_s(self._parts.clock.monotonic())

    def _post(self, delivery: Delivery, reply: bytes | None) -> None:
        self._board.post(delivery.event_id, ReplyOutcome(reply))

    def _report(self, delivery: Delivery, reason: str, told: asyncio.Future[bool]) -> None:
        if not told.cancelled() and told.result():
            self._parts.reports.dead(delivery, reason)
