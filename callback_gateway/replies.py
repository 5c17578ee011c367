"""Answers to callbacks that a route answers: static ones at once, a target's when it has spoken.

The attempt at the target belongs to the dispatcher, wherever it runs; the tries of WeChat wait for
it here. How long, and what they are told, is decided in answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from callback_gateway.answers import (
    NOTHING_TO_SAY,
    Patience,
    answer,
    fits,
    patience,
    stored_reply,
)
from callback_gateway.inbox.records import ReplyState, Verdict
from callback_gateway.reply_board import ReplyOutcome, TooManyWait
from callback_gateway.routes import SHORT_WINDOW_S, Static
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.wechat.passive_reply import ReplyRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback_gateway.accounts import Account
    from callback_gateway.answers import Pace
    from callback_gateway.authenticity import Genuine
    from callback_gateway.delivery.dispatcher import Dispatcher
    from callback_gateway.event import Event
    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Accepted
    from callback_gateway.observers import IntakeObserver
    from callback_gateway.process import Process
    from callback_gateway.reply_board import ReplyBoard
    from callback_gateway.routes import Decision
    from zhongkong.wechat.passive_reply import PassiveReply

ENDING_PATIENCE_S: Final = 2.0
"""So long a try still waits when the process ends: its answer must be out before the listener."""

LOOK_EVERY_S: Final = 0.25
"""How often a try asks the store for an answer that another process is after."""

_MOMENT_S: Final = 0.001
"""Less than this is no time to wait for."""

_NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff"}

log = get_logger()


@dataclass(frozen=True, slots=True)
class Try:
    """One try of one event, stored. `began` on the monotonic clock."""

    account: Account
    request: Genuine
    event: Event
    decision: Decision
    accepted: Accepted
    began: float


class Replies:
    """Waits for answers and renders them."""

    def __init__(
        self,
        inbox: Inbox,
        board: ReplyBoard,
        dispatcher: Dispatcher,
        observer: IntakeObserver,
        *,
        process: Process,
        pace: Pace,
        joinable: Callable[[], bool],
    ) -> None:
        """`joinable`: whether another process could find an attempt that is made here."""
        self._inbox = inbox
        self._board = board
        self._dispatcher = dispatcher
        self._observer = observer
        self._process = process
        self._pace = pace
        self._joinable = joinable

    @property
    def ending(self) -> bool:
        """Whether this process was asked to stop."""
        return self._process.ending.is_set()

    async def answer(self, request: web.Request, attempt: Try) -> web.StreamResponse:
        """The answer to this try; none, and its connection closed, when it is withheld."""
        decision = attempt.decision
        if isinstance(decision.reply, Static):
            return self._say(attempt, decision.reply.reply, "static")
        accepted = attempt.accepted
        if accepted.reply_state is ReplyState.ANSWERED:
            return self._say_stored(attempt, accepted.reply or b"")
        if accepted.reply_state is not ReplyState.RUNNING:
            return self._say(attempt, decision.fallback, "fallback")
        outcome = await self._wait(attempt)
        if outcome is None:
            return self._withhold(request, attempt)
        if outcome.reply is None:
            return self._say(attempt, decision.fallback, "fallback")
        return self._say_stored(attempt, outcome.reply)

    # -- waiting ---------------------------------------------------------------------------------

    async def _wait(self, attempt: Try) -> ReplyOutcome | None:
        """The outcome, or nothing said in time (`reply` None); None when the try is withheld."""
        event_id = attempt.event.id
        try:
            told = self._board.expect(event_id)
        except TooManyWait:
            log.error(
                "replies_not_awaited", account=attempt.account.name, waiting=self._board.count
            )
            return ReplyOutcome(None)
        try:
            if attempt.accepted.lease is not None:
                self._dispatcher.run_reply(attempt.accepted.lease)
            elif attempt.accepted.verdict is Verdict.DUPLICATE:
                self._observer.joined(attempt.account.name)
            ends_at: float | None = None
            while not told.done():
                if ends_at is None and self._process.ending.is_set():
                    ends_at = self._process.clock.monotonic() + ENDING_PATIENCE_S
                left = self._patience(attempt, ends_at)
                if left.seconds < _MOMENT_S:
                    return None if left.withheld else ReplyOutcome(None)
                await self._look(attempt, told, left)
            return told.result()
        finally:
            self._board.leave(event_id, told)

    async def _look(self, attempt: Try, told: asyncio.Future[ReplyOutcome], left: Patience) -> None:
        """Wait for word from this process, or for a moment, then ask the store."""
        here = self._dispatcher.attempts(attempt.event.id)
        pause_s = left.seconds if here else min(left.seconds, LOOK_EVERY_S)
        if await self._told(told, pause_s) or here:
            return
        try:
            joined = await self._inbox.join(
                attempt.account.name, attempt.event.id, owner=self._process.owner
            )
        except StoreUnavailable:
            return
        if joined.lease is not None:
            log.info("reply_taken_over", event_id=attempt.event.id)
            self._dispatcher.run_reply(joined.lease)
        elif joined.reply_state is not ReplyState.RUNNING and not told.done():
            told.set_result(ReplyOutcome(joined.reply))

    async def _told(self, told: asyncio.Future[ReplyOutcome], pause_s: float) -> bool:
        """Wait for `told`, at most `pause_s`; the end of the process wakes whoever waits."""
        waited: set[asyncio.Future[object]] = {told}  # type: ignore[arg-type]
        ending: asyncio.Future[Any] | None = None
        if not self._process.ending.is_set():
            ending = asyncio.ensure_future(self._process.ending.wait())
            waited.add(ending)
        try:
            await asyncio.wait(waited, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if ending is not None:
                ending.cancel()
        return told.done()

    def _patience(self, attempt: Try, ends_at: float | None) -> Patience:
        now = self._process.clock.monotonic()
        left = patience(
            self._pace,
            long_window=attempt.decision.reply_window_s > SHORT_WINDOW_S,
            tries=attempt.accepted.tries,
            spent_s=now - attempt.began,
            joinable=self._joinable() and ends_at is None,
        )
        if ends_at is None:
            return left
        return Patience(max(min(left.seconds, ends_at - now), 0.0), withheld=False)

    # -- saying ----------------------------------------------------------------------------------

    def _say_stored(self, attempt: Try, reply: bytes) -> web.StreamResponse:
        try:
            said = stored_reply(reply)
        except ReplyRefused as flaw:
            log.error("stored_reply_unreadable", event_id=attempt.event.id, why=str(flaw))
            return self._say(attempt, attempt.decision.fallback, "fallback")
        return self._say(attempt, said, "replied" if said is not None else "nothing_to_say")

    def _say(self, attempt: Try, reply: PassiveReply | None, outcome: str) -> web.StreamResponse:
        if reply is not None and not fits(reply, attempt.event):
            log.error("reply_does_not_fit", event_id=attempt.event.id, type=attempt.event.type)
            reply, outcome = None, "unfit"
        now = int(self._process.clock.now())
        said = NOTHING_TO_SAY
        if reply is not None:
            said = answer(
                reply,
                event=attempt.event,
                request=attempt.request,
                account=attempt.account,
                now=now,
                nonce=self._process.randomness.token(8),
                noise=self._process.randomness.token(8),
            )
        self._count(attempt, outcome)
        return web.Response(
            body=said.body, content_type=said.media_type, charset="utf-8", headers=_NO_SNIFFING
        )

    def _withhold(self, request: web.Request, attempt: Try) -> web.StreamResponse:
        """Close without a word: WeChat's next try joins the attempt."""
        self._count(attempt, "withheld")
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _count(self, attempt: Try, outcome: str) -> None:
        took_s = self._process.clock.monotonic() - attempt.began
        self._observer.answered(attempt.account.name, outcome, took_s)
