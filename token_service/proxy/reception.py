"""What a request says and who stands behind it, before anything of it is looked through.

The request line is read in `ask`, credentials are judged in `admission`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.proxy import refusals
from token_service.proxy.admission import NOT_ADMITTED, Admitted, check_appid
from token_service.proxy.ask import Asks
from token_service.proxy.paths import PathClass

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.proxy.ask import Ask, Place
    from token_service.proxy.bookkeeping import Note
    from token_service.proxy.credentials import BodyFields
    from token_service.proxy.parts import ProxyParts


class Reception:
    """Reads request lines and finds out who calls."""

    def __init__(self, parts: ProxyParts) -> None:
        self._admission = parts.admission
        self._source = parts.source
        self._rules = parts.rules
        self._asks = Asks(parts.rules)

    def forget(self) -> None:
        """The clients changed: what was read for them is void."""
        self._asks = Asks(self._rules)

    def asked(self, request: web.Request, note: Note, raw_path: str) -> Ask:
        """The request line, whose path is `raw_path`. Raises Refusal for what nobody may ask."""
        target = request.raw_path
        ask = self._asks.known(request.method, target)
        if ask is None:
            note.path_class = self._rules.guess(raw_path)
            ask = self._asks.read(request.method, target, raw_path)
        note.path_class = ask.path_class
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise refusals.packed()
        return ask

    def who(
        self, ask: Ask, place: Place | None, request: web.Request, fields: BodyFields
    ) -> Admitted:
        """Who stands behind the credential at this place. Raises Refusal."""
        if ask.path_class is PathClass.USER:
            return NOT_ADMITTED
        if ask.path_class is PathClass.APP:
            if place is None:
                raise refusals.missing("access_token", 41001, "put it into the query")
            now = self._source.now()
            return self._admission.by_token(place.value, request.remote or "", now)
        account = self._admission.account_with(ask.appid(fields))
        if place is None:
            raise refusals.missing("secret", 41004, "it is the client's key")
        return self._admission.by_key(place.value, account)

    def check(self, who: Admitted, ask: Ask) -> None:
        """Appid, token and right must mean the same account. Raises Refusal."""
        if ask.path_class is not PathClass.USER:
            check_appid(who, ask.appid())
        self._admission.check_right(who, ask)
