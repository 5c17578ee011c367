"""One HTTP request to one host, sent at most once, with an exact account of whether it left.

Two facts about aiohttp shape this module. Its session repeats idempotent methods by itself when a
connection breaks, on fresh connections too; a middleware turns those errors into one that it does
not repeat. And its exceptions carry the full URL, secrets included; they are translated to values
and never chained. Which host is asked, and what an answer means, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import orjson

from zhongkong.wechat.errors import NotSentReason, OutcomeUnknownReason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import SimpleNamespace

    from aiohttp.abc import AbstractResolver

_NO_CEILING: Final = 1e9
"""aiohttp rounds timeouts above a threshold up to whole seconds; ours are exact."""

_HEADERS: Final = {"User-Agent": "zhongkong", "Accept-Encoding": "identity"}
_JSON_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class SentMark:
    """Tells, also after a cancellation, whether any byte of the request can have left.

    One per call. It is set when a connection is ready, just before the first byte is written, and
    never unset: False is a proof, True is only a possibility.
    """

    __slots__ = ("may_have_left",)

    def __init__(self) -> None:
        self.may_have_left = False


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. `params` and `json` may hold secrets, so the repr has neither."""

    method: str
    path: str
    params: Mapping[str, str] | None = field(repr=False)
    json: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """No response. `reason` is a NotSentReason exactly when nothing can have left."""

    reason: NotSentReason | OutcomeUnknownReason
    detail: str


class _Broken(aiohttp.ClientError):
    """Stands in for errors after which aiohttp would repeat the request."""


class _TooLarge(Exception):
    pass


class Exchange:
    """An aiohttp session made for calls whose every repetition counts. Needs a running loop."""

    def __init__(
        self,
        *,
        reuse: bool,
        max_answer_bytes: int,
        dns_ttl_s: int,
        tls: ssl.SSLContext | None,
        resolver: AbstractResolver | None,
    ) -> None:
        self._max_answer_bytes = max_answer_bytes
        connector = aiohttp.TCPConnector(
            force_close=not reuse,
            keepalive_timeout=None if not reuse else 15.0,
            ttl_dns_cache=dns_ttl_s,
            ssl=tls or True,
            resolver=resolver,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
            trust_env=False,
            trace_configs=[_mark_when_connected()],
            middlewares=(_never_twice,),
        )

    async def send(
        self, origin: str, request: Request, *, mark: SentMark, connect_s: float, total_s: float
    ) -> Response | Failure:
        """Send once. `connect_s` covers the wait for a connection, DNS, TCP and TLS.

        Raises nothing but CancelledError, after which `mark` tells what may have happened.
        """
        try:
            async with asyncio.timeout(total_s):
                return await self._send(origin, request, mark, connect_s)
        except _TooLarge:
            limit = f"the answer is larger than {self._max_answer_bytes} bytes"
            return Failure(OutcomeUnknownReason.TOO_LARGE, limit)
        except zlib.error:
            packed = "the answer is compressed in a way that cannot be read"
            return Failure(OutcomeUnknownReason.UNREADABLE, packed)
        # uvloop reports some failures to connect as RuntimeError.
        except (aiohttp.ClientError, OSError, TimeoutError, RuntimeError) as error:
            return _lost(error, total_s) if mark.may_have_left else _not_sent(error, connect_s)

    async def _send(
        self, origin: str, request: Request, mark: SentMark, connect_s: float
    ) -> Response:
        body = None if request.json is None else orjson.dumps(request.json)
        async with self._session.request(
            request.method,
            origin + request.path,
            params=request.params,
            data=body,
            headers=_JSON_HEADERS if body is not None else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(connect=connect_s, ceil_threshold=_NO_CEILING),
            trace_request_ctx=mark,
        ) as response:
            return Response(response.status, await self._read(response))

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, unpacked. Neither what arrives nor what it unpacks to exceeds the limit."""
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise _TooLarge
        if response.headers.get("Content-Encoding", "identity").lower() == "identity":
            return bytes(body)
        # Nobody asked for compression; a proxy on the way may do it all the same.
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(
            bytes(body), self._max_answer_bytes + 1
        )
        if len(unpacked) > self._max_answer_bytes:
            raise _TooLarge
        return unpacked

    async def close(self) -> None:
        await self._session.close()


async def _never_twice(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(_cause(error)) from None


def _mark_when_connected() -> aiohttp.TraceConfig:
    """Hooks that aiohttp awaits between having a connection and writing to it."""

    async def connected(
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _params: aiohttp.TraceConnectionCreateEndParams | aiohttp.TraceConnectionReuseconnParams,
    ) -> None:
        context.trace_request_ctx.may_have_left = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def _not_sent(error: Exception, connect_s: float) -> Failure:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return Failure(NotSentReason.DNS, "its name does not resolve")
        case aiohttp.ClientConnectorCertificateError():
            return Failure(NotSentReason.TLS, _certificate_trouble(error.certificate_error))
        case aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return Failure(NotSentReason.TLS, "the TLS handshake failed")
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return Failure(NotSentReason.CONNECTION_REFUSED, "it refuses connections")
        case TimeoutError():
            return Failure(NotSentReason.CONNECT_TIMEOUT, f"no connection within {connect_s:.3g} s")
    return Failure(NotSentReason.CONNECT_FAILED, f"no connection ({_cause(error)})")


def _lost(error: Exception, total_s: float) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure(OutcomeUnknownReason.DEADLINE, f"no answer within {total_s:.3g} s")
    broken = error if isinstance(error, _Broken) else _cause(error)
    return Failure(OutcomeUnknownReason.CONNECTION_LOST, f"the connection broke ({broken})")


def _cause(error: Exception) -> str:
    """A short name. The text of aiohttp's errors would bring the URL along, with its secrets."""
    inner = getattr(error, "os_error", None) or error
    strerror = getattr(inner, "strerror", None)
    return strerror if isinstance(strerror, str) and strerror else type(inner).__name__


def _certificate_trouble(error: Exception) -> str:
    message = getattr(error, "verify_message", "") or "not trusted"
    return f"its certificate is not accepted ({message})"
