"""The public listener: WeChat's callbacks come in here, in a fixed order of checks.

Nothing is parsed before it is verified, nothing is answered before it is stored.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from callback_gateway.answers import SUCCESS
from callback_gateway.authenticity import (
    Forged,
    Forgery,
    authenticate,
    check_echo,
    read_query,
)
from callback_gateway.cloud_event import cloud_event, malformed_event
from callback_gateway.doorway import ACCOUNT, Doorway
from callback_gateway.event import event_of, malformed_id
from callback_gateway.inbox.records import Arrival, ReplyState, Verdict
from callback_gateway.replies import Try
from callback_gateway.routes import Ask, facts_of
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.ready_answer import ReadyAnswer
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.push import PushMalformed, format_of, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account
    from callback_gateway.answers import Pace
    from callback_gateway.authenticity import Genuine
    from callback_gateway.batching import Batcher
    from callback_gateway.delivery.dispatcher import Dispatcher
    from callback_gateway.event import Event
    from callback_gateway.inbox.records import Accepted
    from callback_gateway.observers import IntakeObserver
    from callback_gateway.replies import Replies
    from callback_gateway.routes import Decision
    from callback_gateway.rules import Rules
    from zhongkong.runtime.clock import Clock

_SUCCESS_HEADERS: Final = {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}
_PLAIN_QUERY_AT_MOST: Final = 1024

log = get_logger()


class Intake:
    """Takes callbacks for the accounts and routes in force."""

    def __init__(
        self,
        rules: Rules,
        batcher: Batcher,
        replies: Replies,
        dispatcher: Dispatcher,
        observer: IntakeObserver,
        *,
        pace: Pace,
        freshness_s: float,
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._batcher = batcher
        self._replies = replies
        self._dispatcher = dispatcher
        self._observer = observer
        self._pace = pace
        self._freshness_s = freshness_s
        self._clock = clock
        self._success = ReadyAnswer(_SUCCESS_HEADERS, SUCCESS, now=clock.now())
        self._success_made = int(clock.now())

    def app(self, body_limit: int) -> web.Application:
        """The application of the public listener; `body_limit` in bytes."""
        app = web.Application(client_max_size=body_limit)
        app.router.register_resource(
            Doorway(self.verify, self.receive, lambda name: name in self._rules.accounts)
        )
        return app

    async def verify(self, request: web.Request) -> web.StreamResponse:
        """WeChat's check of the URL: its echostr comes back when the signature holds."""
        account = self._account(request)
        try:
            echo = check_echo(account, request.query)
        except Forged as forged:
            raise self._refusal(account, forged) from None
        return web.Response(
            body=echo.encode(),
            content_type="text/plain",
            headers={"X-Content-Type-Options": "nosniff"},
        )

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """One try of one callback."""
        began = self._clock.monotonic()
        account = self._account(request)
        observer = self._observer
        body = await self._body(request)
        now = self._clock.now()
        try:
            genuine = authenticate(
                account, read_query(_words(request)), body, now=now, freshness_s=self._freshness_s
            )
            event, malformed = self._read(account, genuine)
        except Forged as forged:
            raise self._refusal(account, forged) from None
        if genuine.token:
            observer.old_key_used(account.name, "token")
        if genuine.key:
            observer.old_key_used(account.name, "aes_key")
        if event is None:
            answer = await self._bury(account, genuine, malformed, began, now)
        else:
            answer = await self._take(request, account, genuine, event, began)
        return self._sent(request, answer)

    async def _body(self, request: web.Request) -> bytes:
        """The body. Raises Problem when it is too large or too slow."""
        if request.content.is_eof():
            # It came with its head, as nearly all do: no timer is needed.
            return await request.read()
        try:
            async with asyncio.timeout(self._pace.answer_within_s):
                return await request.read()
        except TimeoutError:
            raise Problem(408, detail="The body did not arrive in time.") from None

    # -- what a callback says --------------------------------------------------------------------

    def _read(self, account: Account, genuine: Genuine) -> tuple[Event | None, str]:
        """The event, or None and why it can't be read. Raises Forged for another account's."""
        try:
            content = genuine.content
            # What was sealed may have another form than what it was sealed in.
            push = normalise(parse(content, format_of(content)))
        except PushMalformed as flaw:
            return None, str(flaw)
        if account.original_id is not None and push.to_user != account.original_id:
            raise Forged(Forgery.WRONG_ACCOUNT)
        return event_of(push, account.name), ""

    # -- storing ---------------------------------------------------------------------------------

    async def _bury(
        self, account: Account, genuine: Genuine, why: str, began: float, now: float
    ) -> web.StreamResponse:
        """Keep what is genuine and can't be read as a dead letter; to repeat it wouldn't help."""
        event_id = malformed_id(account.name, genuine.content)
        document = malformed_event(event_id, account.name, genuine.content, now)
        arrival = Arrival(
            event_id, account.name, document, stamp=genuine.stamp, malformed=why or "malformed"
        )
        accepted = await self._store(account, arrival, began)
        if accepted.verdict is Verdict.NEW:
            log.warning("callback_malformed", account=account.name, event_id=event_id, why=why)
        return self._say_success(account, "malformed", began)

    async def _take(
        self, request: web.Request, account: Account, genuine: Genuine, event: Event, began: float
    ) -> web.StreamResponse:
        decision = self._rules.routes.decide(facts_of(event))
        asked = decision.reply.target if isinstance(decision.reply, Ask) else None
        arrival = Arrival(
            event.id,
            account.name,
            cloud_event(event),
            notify=decision.notify,
            replier=asked,
            reply_within_s=self._pace.window_s(decision.reply_window_s) if asked else 0.0,
            stamp=genuine.stamp,
        )
        accepted = await self._store(account, arrival, began)
        self._count(account, accepted, decision)
        if decision.reply is None:
            return self._say_success(account, accepted.verdict.value, began)
        attempt = Try(account, genuine, event, decision, accepted, began)
        return await self._replies.answer(request, attempt)

    async def _store(self, account: Account, arrival: Arrival, began: float) -> Accepted:
        """Raises Problem: 503 when it can't be kept, 403 when it is an altered repetition."""
        try:
            accepted = await self._batcher.accept(arrival)
        except StoreUnavailable as trouble:
            log.error("callback_not_stored", account=account.name, why=str(trouble))
            raise self._unavailable(account, "store_away", began) from None
        if accepted.verdict is Verdict.FULL:
            raise self._unavailable(account, "store_full", began)
        if accepted.verdict is Verdict.ALTERED:
            raise self._refusal(account, Forged(Forgery.ALTERED))
        return accepted

    # -- answering and counting --------------------------------------------------------------------

    def _count(self, account: Account, accepted: Accepted, decision: Decision) -> None:
        if accepted.verdict is Verdict.NEW:
            if decision.notify:
                self._dispatcher.wake()
            return
        self._observer.retried(account.name)
        if accepted.reply_state is not ReplyState.RUNNING:
            self._observer.duplicate(account.name)

    def _say_success(self, account: Account, outcome: str, began: float) -> web.StreamResponse:
        moment = self._clock.now()
        self._observer.answered(account.name, outcome, self._clock.monotonic() - began)
        if int(moment) != self._success_made:
            self._success = ReadyAnswer(_SUCCESS_HEADERS, SUCCESS, now=moment)
            self._success_made = int(moment)
        return self._success

    def _sent(self, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        """The answer, with the end of its connection where nothing more should come on it.

        While this process ends, who keeps connections open has to take others: one that is closed
        under the next request costs that a try.
        """
        ending = self._replies.ending
        if answer is self._success and (ending or not ReadyAnswer.fits(request)):
            answer = web.Response(body=SUCCESS, headers=_SUCCESS_HEADERS)
        if ending:
            answer.force_close()
        return answer

    def _account(self, request: web.Request) -> Account:
        account = self._rules.accounts.get(request.match_info[ACCOUNT])
        if account is None:
            self._observer.forged("-", "unknown_account")
            raise Problem(404, "Unknown account", "No account of this name is configured here.")
        return account

    def _refusal(self, account: Account, forged: Forged) -> Problem:
        self._observer.forged(account.name, forged.reason.value)
        if forged.skew_s is not None:
            self._observer.clock_skew(account.name, forged.skew_s)
            log.error(
                "callback_not_fresh",
                account=account.name,
                skew_s=round(forged.skew_s),
                hint="a replay, or this machine's clock is wrong; see `freshness`",
            )
        else:
            log.info("callback_refused", account=account.name, reason=forged.reason.value)
        return Problem(403, "Not genuine", "This is not a callback of WeChat for this account.")

    def _unavailable(self, account: Account, outcome: str, began: float) -> Problem:
        self._observer.answered(account.name, outcome, self._clock.monotonic() - began)
        return Problem(
            503, "Not stored", "Nothing can be kept at the moment.", headers={"Retry-After": "1"}
        )


def _words(request: web.Request) -> Mapping[str, str]:
    """The query. WeChat's needs no decoding; what does is left to the library."""
    text = request.rel_url.raw_query_string
    if not text or "%" in text or "+" in text or len(text) > _PLAIN_QUERY_AT_MOST:
        return request.query
    words: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        words.setdefault(name, value)
    return words
