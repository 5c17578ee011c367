"""The shortest way from a request to a token: one token's place on the API.

Serves what needs no waiting and no thought: a plain GET of a live token with a known key. All else
goes on to `api`. Every step here is counted in microseconds, so what can be made ready is: rights,
tallies, audit lines, and the answer for as long as it stays the same.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import orjson

from token_service import audit
from token_service.answers import token_document, token_headers
from zhongkong.runtime.bearer import digest_of
from zhongkong.runtime.problems import REQUEST_ID, new_id, request_id
from zhongkong.runtime.ready_answer import ReadyAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from token_service.ports import TokenSource
    from token_service.request_metrics import Tally
    from token_service.served import Served
    from token_service.slot import Slot
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.logs import ReadyLine

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Grant:
    """One client's right to read one token, and where that is noted."""

    __slots__ = ("client", "key_digest", "line", "tally")

    def __init__(self, client: str, key_digest: bytes, tally: Tally) -> None:
        self.client = client
        self.key_digest = key_digest
        self.tally = tally
        self.line: ReadyLine | None = None


class HandOut:
    """Answers plain GETs of one token; `otherwise` answers the rest."""

    __slots__ = (
        "_account",
        "_answer",
        "_clock",
        "_grants",
        "_lifetime",
        "_otherwise",
        "_served",
        "_slot",
        "_source",
    )

    def __init__(
        self,
        account: str,
        slot: Slot,
        grants: Mapping[bytes, Grant],
        *,
        source: TokenSource,
        clock: Clock,
        otherwise: Handler,
    ) -> None:
        self._account = account
        self._slot = slot
        self._grants = grants
        self._source = source
        self._clock = clock
        self._otherwise = otherwise
        self._served: Served | None = None
        self._lifetime = -1
        self._answer: ReadyAnswer | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer at once, or leave it to `otherwise`."""
        began = self._clock.monotonic()
        headers = request.headers
        digest = digest_of(headers.get("Authorization"))
        grant = self._grants.get(digest)
        served = self._source.peek(self._slot)
        if (
            grant is None
            or served is None
            or not hmac.compare_digest(grant.key_digest, digest)
            or request.rel_url.raw_query_string
            or "If-None-Match" in headers
            or not ReadyAnswer.fits(request)
        ):
            return await self._otherwise(request)
        lifetime = served.lifetime(self._source.now())
        answer = self._answer
        if answer is None or served is not self._served or lifetime != self._lifetime:
            answer = self._make_ready(served, lifetime)
        line = grant.line or self._line_for(grant, served)
        line.write(request_id(request) if REQUEST_ID in headers else new_id())
        grant.tally.add(self._clock.monotonic() - began)
        return answer

    def _make_ready(self, served: Served, lifetime: int) -> ReadyAnswer:
        if served is not self._served:
            for grant in self._grants.values():
                grant.line = None
        self._served, self._lifetime = served, lifetime
        body = orjson.dumps(token_document(self._account, served, lifetime))
        self._answer = ReadyAnswer(token_headers(served.version), body, now=self._clock.now())
        return self._answer

    def _line_for(self, grant: Grant, served: Served) -> ReadyLine:
        kind = str(self._slot.kind)
        grant.line = audit.HANDED_OUT.ready(grant.client, self._account, kind, served.version)
        return grant.line
