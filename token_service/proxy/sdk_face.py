"""WeChat's own token endpoints as this service answers them, so that an SDK needs only another URL.

`secret` is the client's key. What an SDK gets for it is an opaque token, or the real one where the
client's entry says so. Everything else outside /v1 goes on to WeChat by way of `service`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import orjson
from aiohttp import web

from token_service import audit
from token_service.clients import Verb
from token_service.opaque import LIFE_S, NONCE_BYTES
from token_service.proxy import refusals
from token_service.proxy.admission import NOT_ADMITTED, check_appid
from token_service.proxy.body import Body
from token_service.proxy.credentials import (
    SECRET_NAMES,
    TOKEN_NAMES,
    Twice,
    body_fields,
    one_of,
    query_fields,
)
from token_service.proxy.paths import BadPath, normalise
from token_service.proxy.real_tokens import RealTokens
from token_service.proxy.refusal import Face, Outcome
from token_service.slot import Kind
from zhongkong.runtime.problems import request_id

if TYPE_CHECKING:
    from token_service.clients import Caller
    from token_service.directory import Account
    from token_service.proxy.bookkeeping import Note
    from token_service.proxy.parts import ProxyParts
    from token_service.proxy.service import Proxy

TOKEN: Final = "/cgi-bin/token"
STABLE_TOKEN: Final = "/cgi-bin/stable_token"
GET_TICKET: Final = "/cgi-bin/ticket/getticket"
_OWN: Final = frozenset({TOKEN, STABLE_TOKEN, GET_TICKET})
_GRANT: Final = "client_credential"
_TICKETS: Final = {"jsapi": Kind.JSAPI_TICKET, "wx_card": Kind.WX_CARD_TICKET}
_TRUE: Final = frozenset({"true", "1"})
_JSON: Final = "application/json; encoding=utf-8"


class SdkFace:
    """The application of everything outside /v1."""

    def __init__(self, parts: ProxyParts, proxy: Proxy) -> None:
        self._parts = parts
        self._proxy = proxy
        self._real_tokens = RealTokens(parts, proxy.carrier)
        self.handle = partial(proxy.books.answered, Face.SDK, self._flow, NOT_ADMITTED)
        """Answer one request. Nothing of what a caller or WeChat does is raised."""

    async def _flow(self, request: web.Request, note: Note) -> web.StreamResponse:
        cleared = self._proxy.precedent(request)
        if cleared is not None:
            return await self._proxy.let_through(request, note, cleared)
        path = _own_path(request)
        if not path:
            return await self._proxy.sdk(request, note)
        if path == GET_TICKET:
            return await self._ticket(request, note)
        return await self._token(path, request, note)

    async def _token(self, path: str, request: web.Request, note: Note) -> web.StreamResponse:
        note.path_class, note.path = "token", path
        given = await self._given(request)
        if given.get("grant_type") != _GRANT:
            raise refusals.missing("grant_type", 40002, f"it must be {_GRANT}")
        account = self._parts.admission.account_with(given.get("appid"))
        key = given.get("secret") or given.get("appsecret")
        if not key:
            raise refusals.missing("secret", 41004, "it is the client's key")
        note.who = self._proxy.by_key(key, account_name=account.name)
        caller = note.who.caller
        if caller is None:
            raise refusals.bad_key()
        forced = path == STABLE_TOKEN and given.get("force_refresh", "").lower() in _TRUE
        if forced and caller.may(Verb.FORCE, account.name, Kind.ACCESS_TOKEN):
            await self._real_tokens.force(caller, account)
        if caller.real_tokens:
            answer = await self._real(request, caller, account)
        else:
            answer = self._opaque(request, caller, account)
        note.outcome = Outcome.PASSED
        return answer

    def _opaque(self, request: web.Request, caller: Caller, account: Account) -> web.Response:
        if not caller.reaches(Verb.PROXY, account.name):
            raise refusals.no_right(caller.name, f"`proxy` for account {account.name}")
        admission = self._parts.admission
        token = admission.opaque.mint(
            caller.name,
            account.name,
            str(Kind.ACCESS_TOKEN),
            now=self._parts.source.now(),
            nonce=bytes.fromhex(self._parts.around.randomness.token(NONCE_BYTES)),
            revoked_before=admission.revoked_before.get(caller.name, 0.0),
        )
        self._audit(request, caller, account, Kind.ACCESS_TOKEN, "opaque")
        return _answer({"access_token": token, "expires_in": LIFE_S})

    async def _real(self, request: web.Request, caller: Caller, account: Account) -> web.Response:
        if not caller.may(Verb.READ, account.name, Kind.ACCESS_TOKEN):
            raise refusals.no_right(caller.name, f"`read` for account {account.name}")
        served = await self._real_tokens.give(caller, account, request.remote or "")
        self._audit(request, caller, account, Kind.ACCESS_TOKEN, served.version)
        life_s = served.lifetime(self._parts.source.now())
        return _answer({"access_token": served.value, "expires_in": life_s})

    async def _ticket(self, request: web.Request, note: Note) -> web.StreamResponse:
        note.path_class, note.path = "ticket", GET_TICKET
        fields = query_fields(request.raw_path.partition("?")[2])
        try:
            token, appid = one_of(fields, TOKEN_NAMES), one_of(fields, frozenset({"appid"}))
            asked = one_of(fields, frozenset({"type"}))
        except Twice as error:
            raise refusals.malformed(f"{error}.") from None
        if token is None:
            raise refusals.missing("access_token", 41001, "put it into the query")
        peer, now = request.remote or "", self._parts.source.now()
        note.who = who = self._parts.admission.by_token(token.value, peer, now)
        check_appid(who, appid.value if appid is not None else None)
        kind = _TICKETS.get(asked.value if asked is not None else "")
        caller, account = who.caller, who.account
        if kind is None or caller is None or account is None:
            raise refusals.malformed("type must be jsapi or wx_card.")
        if not caller.may(Verb.READ, account.name, kind):
            raise refusals.no_right(caller.name, f"`read` for {kind} of account {account.name}")
        slot = account.slots.get(kind)
        if slot is None:
            raise refusals.no_ticket(account.name)
        served = await self._proxy.carrier.live(slot)
        self._audit(request, caller, account, kind, served.version)
        note.outcome = Outcome.PASSED
        life_s = served.lifetime(self._parts.source.now())
        return _answer({"errcode": 0, "errmsg": "ok", "ticket": served.value, "expires_in": life_s})

    async def _given(self, request: web.Request) -> dict[str, str]:
        """The fields of query and body. A credential stands in one of them, once."""
        parts = self._parts
        query = request.raw_path.partition("?")[2]
        fields = query_fields(query) if query else []
        pairs = [(each.name, each.value) for each in fields]
        async with Body(request, silence_s=parts.settings.timeout, memory=parts.memory) as body:
            if not body.whole:
                raise refusals.body_broken()
            content_type = request.headers.get("Content-Type", "")
            pairs += body_fields(body.data, content_type).pairs
        once = [name for name, _ in pairs if name in SECRET_NAMES or name == "appid"]
        if len(set(once)) < len(once):
            raise refusals.malformed("appid and secret are given once each.")
        return dict(pairs)

    def _audit(
        self, request: web.Request, caller: Caller, account: Account, kind: Kind, form: str
    ) -> None:
        audit.SDK_TOKEN_HANDED_OUT.write(
            request_id(request), caller.name, account.name, str(kind), form
        )


def _own_path(request: web.Request) -> str:
    """Which of the endpoints here is asked for; empty for everything that goes on to WeChat."""
    try:
        path = normalise(request.raw_path.partition("?")[0])
    except BadPath:
        return ""
    return path if path in _OWN else ""


def _answer(document: dict[str, object]) -> web.Response:
    headers = {"Content-Type": _JSON, "Cache-Control": "no-store"}
    return web.Response(body=orjson.dumps(document), headers=headers)
