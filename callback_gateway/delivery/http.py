"""One POST to a target and what became of it. Nothing that a target answers can do harm here.

Redirects are not followed, nothing is unpacked, no more than ANSWER_LIMIT bytes are read. What an
outcome means for the delivery is decided in verdict.
"""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from callback_gateway.cloud_event import CONTENT_TYPE
from callback_gateway.delivery.failures import FAILURES, outcome_of
from callback_gateway.delivery.outcome import (
    ANSWER_LIMIT,
    DELIVERED,
    TIMEOUT,
    UNSENDABLE,
    Outcome,
    answered,
)
from callback_gateway.delivery.schedule import retry_after_s

if TYPE_CHECKING:
    import ssl
    from types import SimpleNamespace

    from callback_gateway.targets import Target
    from zhongkong.runtime.clock import Clock

_HEADERS: Final = {
    "Content-Type": CONTENT_TYPE,
    "User-Agent": "zhongkong",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_IDLE_AT_MOST_S: Final = 15.0
_EMPTYING_S: Final = 1.0
"""A body that nobody reads is taken in for so long, so that its connection can be used again."""
_STALE_AT_MOST: Final = 3
_AT_ONCE_AT_MOST: Final = 1 << 20
"""aiohttp wants larger bodies as a stream."""


@dataclass(slots=True)
class _Way:
    """How a request went: `reused` when an earlier one had used the connection."""

    reused: bool = False


class Sender:
    """Connections to all targets. Made on no loop, used on one; `close` it in the end."""

    def __init__(self, clock: Clock, *, tls: ssl.SSLContext | None = None) -> None:
        """`tls` replaces trust in public authorities."""
        self._clock = clock
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, target: Target, event_id: str, document: bytes, *, wants_reply: bool
    ) -> Outcome:
        """Send one document, signed. Never raises for what target and network do.

        A 2xx is a delivery, whatever its body; with `wants_reply` the body is part of the outcome.
        May be repeated: a target knows the event by its id.
        """
        try:
            signed = target.secret.headers(event_id, int(self._clock.now()), document)
            async with asyncio.timeout(target.timeout_s):
                response = await self._head(_address(target.url), _HEADERS | signed, document)
                outcome = await self._read(response, wants_reply=wants_reply)
        except TimeoutError:
            return Outcome(TIMEOUT, detail=f"no answer within {target.timeout_s:g} s")
        except FAILURES as error:
            return outcome_of(error)
        except ValueError:
            return Outcome(UNSENDABLE, detail="no header or address can hold what is to be sent")
        try:
            await _empty(response)
        finally:
            response.release()
        return outcome

    async def close(self) -> None:
        """Close all connections: attempts under way end as if cut off. May be repeated."""
        if self._session is not None:
            await self._session.close()

    async def _head(
        self, address: URL, headers: dict[str, str], document: bytes
    ) -> aiohttp.ClientResponse:
        """The head of the answer. Raises what aiohttp does.

        A target may close an idle connection just when the next request is written to it: then,
        and only then, the request is written once more to another one.
        """
        for _ in range(_STALE_AT_MOST):
            way = _Way()
            try:
                return await self._send(address, headers, document, way)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError):
                if not way.reused:
                    raise
        return await self._send(address, headers, document, _Way())

    async def _send(
        self, address: URL, headers: dict[str, str], document: bytes, way: _Way
    ) -> aiohttp.ClientResponse:
        session = self._session or self._open()
        large = len(document) > _AT_ONCE_AT_MOST
        return await session.post(
            address,
            data=io.BytesIO(document) if large else document,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=way,
        )

    async def _read(self, response: aiohttp.ClientResponse, *, wants_reply: bool) -> Outcome:
        """What the answer says. Raises what aiohttp does; the connection is closed then."""
        asked = response.headers.get("Retry-After")
        wait_s = None if asked is None else retry_after_s(asked, self._clock.now())
        outcome = answered(response.status, retry_after_s=wait_s)
        if not (wants_reply and outcome.delivered):
            return outcome
        try:
            return await _with_body(response, outcome)
        except BaseException:
            response.close()
            raise

    def _open(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        trace.freeze()
        self._session = aiohttp.ClientSession(
            # No limit here, where a slow target would use up the others': places bound each one.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_IDLE_AT_MOST_S, ssl=self._tls or True
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            trace_configs=[trace],
        )
        return self._session


async def _with_body(response: aiohttp.ClientResponse, outcome: Outcome) -> Outcome:
    """The outcome with the body, or with the reason why it isn't read. Raises what aiohttp does."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return Outcome(DELIVERED, outcome.status, flaw="(packed, which nobody asked for)")
    body = await _up_to(response, ANSWER_LIMIT)
    if len(body) > ANSWER_LIMIT:
        return Outcome(DELIVERED, outcome.status, flaw=f"(longer than {ANSWER_LIMIT} bytes)")
    return Outcome(DELIVERED, outcome.status, body)


async def _empty(response: aiohttp.ClientResponse) -> None:
    """Take in a short rest of the body; a connection with more than that on it is closed."""
    if response.content.at_eof():
        return
    with suppress(TimeoutError, *FAILURES):
        async with asyncio.timeout(_EMPTYING_S):
            await _up_to(response, ANSWER_LIMIT)


async def _up_to(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, or a little more than `limit` bytes of it."""
    body = bytearray()
    while len(body) <= limit and (chunk := await response.content.readany()):
        body += chunk
    return bytes(body)


@lru_cache(maxsize=1024)
def _address(url: str) -> URL:
    return URL(url)


async def _note_reuse(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any
) -> None:
    context.trace_request_ctx.reused = True
