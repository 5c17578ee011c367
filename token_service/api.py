"""The native API on the client listener: who asks for what, may they, and what the answer is.

The plain read of a live token is answered in `handout`; how values look on the wire is in
`answers`, how requests are read in `inputs`, refusals are in `problems`. Everything about tokens is
decided by the rotation.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import web

from token_service import audit, inputs, problems
from token_service.answers import names_version, token_answer, token_document, unchanged
from token_service.clients import Verb
from token_service.handout import Grant, HandOut
from token_service.openapi import OPENAPI
from token_service.request_metrics import NO_CLIENT
from token_service.routing import ApiResource
from token_service.served import NoLiveToken, TooSoon
from zhongkong.runtime.answers import json_answer
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.problems import Problem, request_id
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from token_service.clients import Caller
    from token_service.directory import Directory
    from token_service.ports import TokenSource
    from token_service.proxy.faces import Faces
    from token_service.request_metrics import RequestTallies
    from token_service.served import Served
    from token_service.slot import Slot
    from token_service.waiting import WaitingRoom
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.tasks import TaskOwner

T = TypeVar("T")

log = get_logger()

_GET: Final = ("GET", "HEAD")
_POST: Final = ("POST",)
_WAIT_SLACK_S: Final = 1.0
_REFUSALS: Final = (NoLiveToken, TooSoon, StoreUnavailable)
_Refusal = NoLiveToken | TooSoon | StoreUnavailable
_DEED_AT_MOST_S: Final = 60.0
"""How long a rejection or a rotation may take to be answered."""

_TOKEN: Final = re.compile(
    r"/v1/accounts/(?P<account>[^/]+)/tokens/(?P<kind>[^/]+)"
    r"(?:/(?P<deed>rejections|rotations))?\Z"
)


class Api:
    """The application of the client listener. `replace` takes over changed accounts and clients."""

    def __init__(
        self,
        source: TokenSource,
        directory: Directory,
        *,
        room: WaitingRoom,
        tallies: RequestTallies,
        tasks: TaskOwner,
        clock: Clock,
        faces: Faces | None = None,
    ) -> None:
        """Without `faces` there is no proxy: its paths are unknown."""
        self._source = source
        self._room = room
        self._tallies = tallies
        self._tasks = tasks
        self._clock = clock
        self._faces = faces
        if faces is None:
            self._resource = ApiResource(self._answer)
        else:
            self._resource = ApiResource(self._answer, faces.sdk, faces.is_sdk)
        self.app = web.Application(client_max_size=inputs.BODY_LIMIT)
        self.app.router.register_resource(self._resource)
        self.replace(directory)

    def replace(self, directory: Directory) -> None:
        """Serve these accounts to these clients from the next request on."""
        self._directory = directory
        if self._faces is not None:
            self._faces.replace(directory)
        self._resource.replace(
            {
                f"/v1/accounts/{account.name}/tokens/{kind}": self._hand_out(account.name, slot)
                for account in directory.accounts.values()
                for kind, slot in account.slots.items()
            }
        )

    def _hand_out(
        self, account: str, slot: Slot
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        grants = {
            caller.key_digest: Grant(
                caller.name, caller.key_digest, self._tallies.tally(caller.name, "get_token", 200)
            )
            for caller in self._directory.clients
            if caller.may(Verb.READ, account, slot.kind)
        }
        return HandOut(
            account,
            slot,
            grants,
            source=self._source,
            clock=self._clock,
            otherwise=self._answer,
        ).handle

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Answer, count and log a request that isn't handed a token at once."""
        began = self._clock.monotonic()
        exchange = _Exchange(request)
        status = 500
        try:
            response = await self._route(exchange)
            status = response.status
        except Problem as problem:
            status = problem.status
            response = problem.response(request_id(request))
            exchange.log_refusal(problem)
        finally:
            tally = self._tallies.tally(exchange.client, exchange.operation, status)
            tally.add(self._clock.monotonic() - began)
        return response

    async def _route(self, exchange: _Exchange) -> web.StreamResponse:
        native = self._faces.native_path(exchange.request.raw_path) if self._faces else None
        if native is not None and self._faces is not None:
            exchange.operation = "call_wechat"
            return await self._faces.native(exchange.request, self._caller(exchange), *native)
        path = exchange.request.rel_url.path_safe
        match = _TOKEN.match(path)
        if match is not None:
            deed = match["deed"] or ""
            operation, methods, answer = {
                "": ("get_token", _GET, self._get_token),
                "rejections": ("reject_token", _POST, self._reject),
                "rotations": ("rotate_token", _POST, self._rotate),
            }[deed]
            exchange.begin(operation, methods)
            return await answer(exchange, match["account"], match["kind"])
        if path == "/v1/accounts":
            exchange.begin("list_accounts", _GET)
            caller = self._caller(exchange)
            inputs.nothing_asked(exchange.request.query.items())
            return json_answer({"accounts": self._directory.seen_by(caller)})
        if path == "/openapi.json":
            exchange.begin("openapi", _GET)
            return json_answer(OPENAPI)
        raise problems.unknown_path()

    async def _get_token(self, exchange: _Exchange, account: str, kind: str) -> web.Response:
        caller = self._caller(exchange)
        slot = self._directory.slot(caller, Verb.READ, account, kind)
        wanted = inputs.wanted(exchange.request.query.items())
        served = self._source.peek(slot)
        if served is None or served.lifetime(self._source.now()) < wanted.min_ttl_s:
            get = partial(self._source.get, slot, wait_s=wanted.wait_s, min_ttl_s=wanted.min_ttl_s)
            served = await self._decided(get, wanted.wait_s + _WAIT_SLACK_S)
        tags = exchange.request.headers.getall("If-None-Match", ())
        if tags and names_version(",".join(tags), served.version):
            return unchanged(served.version)
        return self._hand(exchange, account, served)

    async def _reject(self, exchange: _Exchange, account: str, kind: str) -> web.Response:
        caller = self._caller(exchange)
        slot, body = await self._slot_and_body(exchange, caller, Verb.REPORT, account, kind)
        report = inputs.report(body)
        rejection = await self._carried_out(partial(self._source.reject, slot, report.version))
        outcome = str(rejection.outcome)
        audit.REJECTION_REPORTED.write(
            request_id(exchange.request),
            caller.name,
            account,
            kind,
            report.version,
            report.errcode,
            outcome,
        )
        return self._hand(exchange, account, rejection.served, outcome=outcome)

    async def _rotate(self, exchange: _Exchange, account: str, kind: str) -> web.Response:
        caller = self._caller(exchange)
        slot, body = await self._slot_and_body(exchange, caller, Verb.FORCE, account, kind)
        reason = inputs.rotation_reason(body)
        audit.ROTATION_ASKED.write(request_id(exchange.request), caller.name, account, kind, reason)
        served = await self._carried_out(partial(self._source.rotate, slot, reason=reason))
        return self._hand(exchange, account, served)

    async def _slot_and_body(
        self, exchange: _Exchange, caller: Caller, verb: Verb, account: str, kind: str
    ) -> tuple[Slot, Any]:
        """Check the right before the body is read, and again after: a reload may lie between."""
        self._directory.slot(caller, verb, account, kind)
        inputs.nothing_asked(exchange.request.query.items())
        body = await inputs.read_body(exchange.request)
        return self._directory.slot(caller, verb, account, kind), body

    async def _carried_out(self, deed: Callable[[], Awaitable[T]]) -> T:
        """As `_decided`, for what goes on when its caller hangs up: WeChat may have been called."""

        async def outcome() -> T:
            found: T | _Refusal = await asyncio.shield(
                self._tasks.once("request", _settled(deed()))
            )
            if isinstance(found, _REFUSALS):
                raise found
            return found

        return await self._decided(outcome, _DEED_AT_MOST_S, deed=True)

    async def _decided(
        self, decision: Callable[[], Awaitable[T]], at_most_s: float, *, deed: bool = False
    ) -> T:
        """Wait for the rotation's word; its refusals become problems."""
        try:
            async with self._room.seat(at_most_s, deed=deed):
                return await decision()
        except TooSoon as refusal:
            raise problems.too_soon(refusal) from None
        except NoLiveToken as refusal:
            raise problems.no_live_token(refusal) from None
        except (TimeoutError, StoreUnavailable):
            raise problems.undecided() from None

    def _hand(self, exchange: _Exchange, account: str, served: Served, **more: str) -> web.Response:
        kind = str(served.slot.kind)
        audit.HANDED_OUT.write(
            request_id(exchange.request), exchange.client, account, kind, served.version
        )
        lifetime = served.lifetime(self._source.now())
        return token_answer({**token_document(account, served, lifetime), **more})

    def _caller(self, exchange: _Exchange) -> Caller:
        caller = self._directory.clients.caller_of(exchange.request.headers.get("Authorization"))
        if caller is None:
            raise problems.no_key()
        exchange.client = caller.name
        return caller


async def _settled(deed: Awaitable[T]) -> T | _Refusal:
    """Return a refusal instead of raising it: it is an answer, not a defect."""
    try:
        return await deed
    except _REFUSALS as refusal:
        return refusal


@dataclass(slots=True)
class _Exchange:
    """One request, and what is noted about it."""

    request: web.Request
    client: str = NO_CLIENT
    operation: str = "unknown"

    def begin(self, operation: str, methods: tuple[str, ...]) -> None:
        """Name the operation; raises Problem when the method isn't one of its own."""
        self.operation = operation
        if self.request.method not in methods:
            raise problems.wrong_method(methods)

    def log_refusal(self, problem: Problem) -> None:
        log.info(
            "request_refused",
            request_id=request_id(self.request),
            client=self.client,
            operation=self.operation,
            status=problem.status,
            problem=problems.slug_of(problem),
        )
