"""The last look at a request before it leaves: no key and no opaque token may stand in what stays.

Who calls is decided in `admission`; what is looked for, and how, is in `sieve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.proxy import refusals
from token_service.proxy.headers import to_wechat
from token_service.proxy.outgoing import Outgoing
from token_service.proxy.paths import PathClass
from token_service.proxy.precedents import Cleared, Precedents
from token_service.proxy.sieve import SeenKeys, Sieve
from token_service.proxy.spool import Spool

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.proxy.admission import Admitted
    from token_service.proxy.ask import Ask, Place
    from token_service.proxy.body import Body
    from token_service.proxy.credentials import BodyFields
    from token_service.proxy.parts import ProxyParts


class Clearance:
    """Looks requests through, and remembers those that it let go."""

    def __init__(self, parts: ProxyParts) -> None:
        self._admission = parts.admission
        self._source = parts.source
        self._disk = parts.disk
        self._replay_limit = parts.settings.replay_limit
        self._seen = SeenKeys()
        self._precedents = Precedents()

    def forget(self) -> None:
        """The clients changed: what was let go for them is looked through again."""
        self._precedents = Precedents()

    def saw(self, client: str, key: str) -> None:
        """This client showed this key: it is looked for as a text from now on."""
        self._seen.note(client, key)

    def precedent(self, request: web.Request) -> Cleared | None:
        """What holds of an equal request, if it still holds."""
        found = self._precedents.of(request)
        if found is None or found.keys_seen != self._seen.count:
            return None
        claims = found.who.claims
        if claims is not None and not self._admission.still_good(claims, self._source.now()):
            return None
        return found

    def clear(
        self, request: web.Request, ask: Ask, place: Place | None, who: Admitted, *, remember: bool
    ) -> Cleared:
        """A request whose credential stands at this place of its line, or in no place of it.

        Raises Refusal when a credential stands elsewhere. `remember` it if nothing but what
        `precedent` asks for can make it void.
        """
        outgoing = self.looked_through(request, ask, place, ask.query)
        cleared = Cleared(who, outgoing, self._seen.count)
        if remember:
            self._precedents.note(request, cleared)
        return cleared

    def looked_through(
        self, request: web.Request, ask: Ask, place: Place | None, query: str
    ) -> Outgoing:
        """Line and headers as they leave, with this query. Raises Refusal."""
        sieve = self._sieve(place)
        headers = to_wechat(request.raw_headers)
        lines = b"\n".join(headers)
        in_query = None if place is None else place.in_query
        if sieve.catches(lines) or sieve.catches_packed(lines) or not ask.clean(sieve, in_query):
            raise refusals.leak()
        return Outgoing(ask, query, headers, place)

    def with_body(
        self,
        request: web.Request,
        outgoing: Outgoing,
        place: Place | None,
        body: Body,
        fields: BodyFields,
    ) -> Outgoing:
        """The same with this body. Raises Refusal when a credential stands elsewhere in it.

        What isn't read yet of a large body is looked through on its way.
        """
        sieve = self._sieve(place)
        length = len(body.data) if body.whole else request.content_length
        ask = outgoing.ask
        whole = Outgoing(ask, outgoing.query, outgoing.headers, place, body, fields, length)
        if sieve.catches(whole.rest_of_body()):
            raise refusals.leak()
        if not body.whole:
            limit = self._replay_limit if ask.path_class is PathClass.APP else 0
            body.keep(sieve, Spool(limit=limit, allowance=self._disk))
        return whole

    def _sieve(self, place: Place | None) -> Sieve:
        is_key = self._admission.directory.clients.is_key
        return Sieve("" if place is None else place.value, is_key, self._seen)
