"""One flow for every call that goes on to WeChat, whichever face it came in by.

What a request says and who calls is found out in `reception`, what leaves is made in `clearance`
and `outgoing`, and `carrier` brings it to WeChat and the answer back. Here is only their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service import problems
from token_service.proxy import refusals
from token_service.proxy.admission import Admitted, check_appid
from token_service.proxy.ask import Place
from token_service.proxy.body import Body
from token_service.proxy.bookkeeping import Books
from token_service.proxy.carrier import Carrier
from token_service.proxy.clearance import Clearance
from token_service.proxy.credentials import BodyFields, added, body_fields
from token_service.proxy.paths import PathClass
from token_service.proxy.reception import Reception
from token_service.proxy.refusal import Face

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.clients import Caller
    from token_service.proxy.ask import Ask
    from token_service.proxy.bookkeeping import Note
    from token_service.proxy.parts import ProxyParts
    from token_service.proxy.passed import Passed
    from token_service.proxy.precedents import Cleared
    from token_service.proxy.refusal import Refusal

_NO_FIELDS = BodyFields()


class Proxy:
    """Passes calls on. `sdk` and `native` never raise for what a caller or WeChat does."""

    def __init__(self, parts: ProxyParts) -> None:
        self._parts = parts
        self._reception = Reception(parts)
        self._clearance = Clearance(parts)
        self.precedent = self._clearance.precedent
        self.carrier = Carrier(parts)
        self.books = Books(parts.tallies, parts.clock)

    def forget(self) -> None:
        """The clients changed: what was read and looked through for them is void."""
        self._reception.forget()
        self._clearance.forget()

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
        return await self.books.answered(Face.NATIVE, flow, who, request)

    async def sdk(self, request: web.Request, note: Note) -> web.StreamResponse:
        """A call of an SDK whose base URL is ours: its credential is in query or body."""
        ask = self._reception.asked(request, note, request.raw_path.partition("?")[0])
        if ask.place is None and ask.path_class is not PathClass.USER:
            return await self._sdk_by_body(request, note, ask)
        who = self._admit(request, note, ask, ask.place, _NO_FIELDS)
        remember = who.claims is not None
        cleared = self._clearance.clear(request, ask, ask.place, who, remember=remember)
        return await self.let_through(request, note, cleared)

    async def let_through(
        self, request: web.Request, note: Note, cleared: Cleared
    ) -> web.StreamResponse:
        """A call whose line and headers are in order; its credential is in none but its query."""
        who, outgoing = cleared.who, cleared.outgoing
        ask = outgoing.ask
        note.who, note.path_class, note.path = who, ask.path_class, ask.path
        turnstile = self._parts.turnstile
        turnstile.enter(who.client, who.caller)
        try:
            if not request.body_exists:
                return await self.carrier.carried(request, note, outgoing)
            async with self._body(request) as body:
                fields = _fields(request, body)
                if ask.place_with(fields) is not ask.place:
                    raise _put_in_by_us()
                place = outgoing.place
                outgoing = self._clearance.with_body(request, outgoing, place, body, fields)
                return await self.carrier.carried(request, note, outgoing)
        finally:
            turnstile.leave(who.client)

    def by_key(self, key: str, *, account_name: str) -> Admitted:
        """The client with this key. Its key is remembered, to be looked for in its calls."""
        admission = self._parts.admission
        who = admission.by_key(key, admission.directory.accounts[account_name])
        self._clearance.saw(who.client, key)
        return who

    # ------------------------------------------------------------------ flows

    async def _native(self, request: web.Request, note: Note, path: str) -> web.StreamResponse:
        who = note.who
        cleared = self.precedent(request)
        if cleared is None or cleared.who.caller is not who.caller:
            ask = self._reception.asked(request, note, path)
            key = request.headers.get("Authorization", "")[7:].strip(" ")
            self._clearance.saw(who.client, key)
            if ask.path_class is PathClass.SECRET:
                return await self._native_login(request, note, ask)
            is_app = ask.path_class is PathClass.APP
            if is_app and ask.place is not None:
                raise _put_in_by_us()
            self._reception.check(who, ask)
            place = Place("access_token") if is_app else None
            cleared = self._clearance.clear(request, ask, place, who, remember=is_app)
        return await self.let_through(request, note, cleared)

    async def _sdk_by_body(self, request: web.Request, note: Note, ask: Ask) -> web.StreamResponse:
        """The credential is in the body, which is read before anybody is believed."""
        async with self._body(request) as body:
            fields = _fields(request, body)
            place = ask.place_with(fields)
            who = self._admit(request, note, ask, place, fields)
            self._parts.turnstile.enter(who.client, who.caller)
            try:
                return await self._with_body(request, note, ask, place, body, fields, ask.query)
            finally:
                self._parts.turnstile.leave(who.client)

    async def _native_login(self, request: web.Request, note: Note, ask: Ask) -> web.StreamResponse:
        """A login needs neither secret nor appid: the path names the account."""
        who = note.who
        self._parts.admission.check_right(who, ask)
        self._parts.turnstile.enter(who.client, who.caller)
        try:
            async with self._body(request) as body:
                fields = _fields(request, body)
                place = ask.place_with(fields) or Place("secret")
                appid = ask.appid(fields)
                check_appid(who, appid)
                query = ask.query
                if not appid and who.account is not None:
                    query = added(query, "appid", who.account.appid)
                return await self._with_body(request, note, ask, place, body, fields, query)
        finally:
            self._parts.turnstile.leave(who.client)

    async def _with_body(
        self,
        request: web.Request,
        note: Note,
        ask: Ask,
        place: Place | None,
        body: Body,
        fields: BodyFields,
        query: str,
    ) -> Passed:
        """A call that can be looked through only now that its body is here."""
        outgoing = self._clearance.looked_through(request, ask, place, query)
        note.path = ask.path
        outgoing = self._clearance.with_body(request, outgoing, place, body, fields)
        return await self.carrier.carried(request, note, outgoing)

    # ------------------------------------------------------------------ steps

    def _admit(
        self, request: web.Request, note: Note, ask: Ask, place: Place | None, fields: BodyFields
    ) -> Admitted:
        """Who may call this with what stands at this place. Raises Refusal."""
        note.who = who = self._reception.who(ask, place, request, fields)
        if ask.path_class is PathClass.SECRET and place is not None:
            self._clearance.saw(who.client, place.value)
        self._reception.check(who, ask)
        return who

    def _body(self, request: web.Request) -> Body:
        parts = self._parts
        return Body(request, silence_s=parts.settings.timeout, memory=parts.memory)


def _fields(request: web.Request, body: Body) -> BodyFields:
    if not body.whole or not body.data:
        return _NO_FIELDS
    return body_fields(body.data, request.headers.get("Content-Type", ""))


def _put_in_by_us() -> Refusal:
    return refusals.malformed("access_token is put in by the token service; leave it out.")
