"""One flow for every call that goes on to WeChat, whichever face it came in by.

What a request says is read in `ask`, who calls is decided in `admission`, what leaves is made in
`outgoing`, and `carrier` brings it to WeChat and the answer back. Here is only their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from token_service import audit, problems
from token_service.proxy import refusals
from token_service.proxy.admission import Admitted, check_appid
from token_service.proxy.ask import Asks, Place
from token_service.proxy.body import Body
from token_service.proxy.carrier import Carrier
from token_service.proxy.credentials import BodyFields, added, body_fields
from token_service.proxy.outgoing import Headers, Outgoing
from token_service.proxy.paths import PathClass
from token_service.proxy.refusals import Face, Outcome, Refusal
from token_service.proxy.sieve import SeenKeys, Sieve
from token_service.proxy.spool import Spool
from token_service.proxy.tally import NOBODY
from zhongkong.runtime.problems import request_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from token_service.clients import Caller
    from token_service.proxy.answer import Passed
    from token_service.proxy.ask import Ask
    from token_service.proxy.parts import ProxyParts

    Flow = Callable[[web.Request, "Note"], Awaitable[web.StreamResponse]]

_NO_FIELDS = BodyFields()


@dataclass(slots=True)
class Note:
    """What is told of one call in the end. No query, no value."""

    who: Admitted
    path_class: str = NOBODY
    path: str = NOBODY
    outcome: Outcome = Outcome.BROKEN_OFF
    status: int = 499


class Proxy:
    """Passes calls on. `sdk` and `native` never raise for what a caller or WeChat does."""

    def __init__(self, parts: ProxyParts) -> None:
        self._parts = parts
        self._asks = Asks(parts.rules)
        self._headers = Headers()
        self._carrier = Carrier(parts)
        self._lines = audit.Lines(audit.CALL_PROXIED)
        self._seen = SeenKeys()

    @property
    def carrier(self) -> Carrier:
        return self._carrier

    def forget(self) -> None:
        """The clients changed: what was looked through for their keys is looked through again."""
        self._asks = Asks(self._parts.rules)
        self._headers = Headers()

    def knows(self, request: web.Request) -> bool:
        """Whether this request line was passed on before."""
        return self._asks.known(request.method, request.raw_path) is not None

    async def sdk(self, request: web.Request) -> web.StreamResponse:
        """A call of an SDK whose base URL is ours: its credential is in the query or the body."""
        return await self.answered(request, Face.SDK, self._sdk, Admitted())

    async def native(
        self, request: web.Request, caller: Caller, account: str, path: str
    ) -> web.StreamResponse:
        """A call with a Bearer key, for the account in our own path. Raises Problem."""
        found = self._parts.admission.directory.accounts.get(account)
        if found is None:
            raise problems.unknown_account()

        async def flow(request: web.Request, note: Note) -> web.StreamResponse:
            return await self._native(request, note, path)

        who = Admitted(caller.name, found.name, caller, found)
        return await self.answered(request, Face.NATIVE, flow, who)

    async def answered(
        self, request: web.Request, face: Face, flow: Flow, who: Admitted
    ) -> web.StreamResponse:
        """Run a flow; its refusal becomes an answer in the caller's language. Counted, audited."""
        clock = self._parts.clock
        began = clock.monotonic()
        note = Note(who)
        response: web.StreamResponse
        try:
            response = await flow(request, note)
            note.status = response.status
        except Refusal as refusal:
            note.outcome = refusal.outcome
            response = _refused(refusal, face, request)
            note.status = response.status
        finally:
            client, account, outcome = note.who.client, note.who.account_name, note.outcome
            took_s = clock.monotonic() - began
            self._parts.tallies.add(client, account, note.path_class, outcome, took_s)
            method = request.method[:16]
            self._lines.write(
                request_id(request),
                (client, account, note.path_class, method, note.path, note.status, outcome),
            )
        return response

    # ------------------------------------------------------------------ the two faces

    async def _sdk(self, request: web.Request, note: Note) -> web.StreamResponse:
        ask = self._asked(request, note, request.raw_path.partition("?")[0])
        if ask.place is None and ask.path_class is not PathClass.USER:
            return await self._sdk_by_body(request, note, ask)
        note.who = who = self._who(ask, ask.place, request, _NO_FIELDS)
        self._let_in(who, ask, ask.appid() if ask.path_class is not PathClass.USER else None)
        try:
            async with self._body(request) as body:
                fields = _fields(request, body)
                place = ask.place_with(fields)
                return await self._carried(request, note, ask, body, fields, place)
        finally:
            self._parts.turnstile.leave(who.client)

    async def _sdk_by_body(self, request: web.Request, note: Note, ask: Ask) -> web.StreamResponse:
        """The credential is in the body, which is read before anybody is believed."""
        async with self._body(request) as body:
            fields = _fields(request, body)
            place = ask.place_with(fields)
            note.who = who = self._who(ask, place, request, fields)
            self._let_in(who, ask, ask.appid())
            try:
                return await self._carried(request, note, ask, body, fields, place)
            finally:
                self._parts.turnstile.leave(who.client)

    async def _native(self, request: web.Request, note: Note, path: str) -> web.StreamResponse:
        ask, who = self._asked(request, note, path), note.who
        self._seen.note(who.client, request.headers.get("Authorization", "")[7:].strip(" "))
        self._let_in(who, ask, ask.appid() if ask.path_class is not PathClass.USER else None)
        try:
            async with self._body(request) as body:
                fields = _fields(request, body)
                place = _native_place(ask, ask.place_with(fields))
                if ask.path_class is PathClass.SECRET:
                    check_appid(who, ask.appid(fields))
                return await self._carried(request, note, ask, body, fields, place)
        finally:
            self._parts.turnstile.leave(who.client)

    # ------------------------------------------------------------------ steps

    def _asked(self, request: web.Request, note: Note, raw_path: str) -> Ask:
        target = request.raw_path
        ask = self._asks.known(request.method, target)
        if ask is None:
            note.path_class = self._parts.rules.guess(raw_path)
            ask = self._asks.read(request.method, target, raw_path)
        note.path_class = ask.path_class
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise refusals.packed()
        return ask

    def _who(
        self, ask: Ask, place: Place | None, request: web.Request, fields: BodyFields
    ) -> Admitted:
        """Who stands behind the credential at this place. Raises Refusal."""
        admission = self._parts.admission
        if ask.path_class is PathClass.USER:
            return Admitted()
        if ask.path_class is PathClass.APP:
            if place is None:
                raise refusals.missing("access_token", 41001, "put it into the query")
            now = self._parts.source.now()
            return admission.by_token(place.value, request.remote or "", now)
        account = admission.account_with(ask.appid(fields))
        if place is None:
            raise refusals.missing("secret", 41004, "it is the client's key")
        return self.by_key(place.value, account_name=account.name)

    def by_key(self, key: str, *, account_name: str) -> Admitted:
        """The client with this key. Its key is remembered, to be looked for in its calls."""
        admission = self._parts.admission
        who = admission.by_key(key, admission.directory.accounts[account_name])
        self._seen.note(who.client, key)
        return who

    def _let_in(self, who: Admitted, ask: Ask, appid: str | None) -> None:
        """Check the rights and take a place at the turnstile. Raises Refusal."""
        check_appid(who, appid)
        self._parts.admission.check_right(who, ask)
        self._parts.turnstile.enter(who.client, who.caller)

    def _body(self, request: web.Request) -> Body:
        parts = self._parts
        return Body(request, silence_s=parts.settings.timeout, memory=parts.memory)

    async def _carried(
        self,
        request: web.Request,
        note: Note,
        ask: Ask,
        body: Body,
        fields: BodyFields,
        place: Place | None,
    ) -> Passed:
        """Look through what is about to leave, and carry it. Raises Refusal."""
        parts, who = self._parts, note.who
        is_key = parts.admission.directory.clients.is_key
        sieve = Sieve("" if place is None else place.value, is_key, self._seen)
        headers = self._headers.forwarded(request.raw_headers, sieve)
        length = len(body.data) if body.whole else request.content_length
        query = _with_appid(ask, fields, who)
        outgoing = Outgoing(ask, query, headers, body, fields, length, place)
        outgoing.look_through(sieve)
        note.path = ask.path
        if not body.whole:
            limit = parts.settings.replay_limit if ask.path_class is PathClass.APP else 0
            body.keep(sieve, Spool(limit=limit, allowance=parts.disk))
        answer, outcome = await self._carrier.answer(outgoing, who.account)
        passed, wholly = await self._carrier.passed(request, answer)
        note.outcome = outcome if wholly else Outcome.BROKEN_OFF
        return passed


def _fields(request: web.Request, body: Body) -> BodyFields:
    if not body.whole or not body.data:
        return _NO_FIELDS
    return body_fields(body.data, request.headers.get("Content-Type", ""))


def _native_place(ask: Ask, place: Place | None) -> Place | None:
    """Where the real credential goes for a caller that showed its key otherwise."""
    if ask.path_class is PathClass.APP:
        if place is not None:
            raise refusals.malformed("access_token is put in by the token service; leave it out.")
        return Place("access_token")
    return place or Place("secret") if ask.path_class is PathClass.SECRET else None


def _with_appid(ask: Ask, fields: BodyFields, who: Admitted) -> str:
    """The query; a login by the native face needs no appid, for its path names the account."""
    if ask.path_class is not PathClass.SECRET or who.account is None:
        return ask.query
    return ask.query if ask.appid(fields) else added(ask.query, "appid", who.account.appid)


def _refused(refusal: Refusal, face: Face, request: web.Request) -> web.Response:
    if face is Face.NATIVE:
        return refusal.problem().response(request_id(request))
    return web.Response(
        status=refusal.sdk_status,
        body=refusal.wechat_body(),
        headers={
            "Content-Type": "application/json; encoding=utf-8",
            "Cache-Control": "no-store",
            **refusal.headers,
        },
    )
