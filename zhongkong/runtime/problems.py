"""Errors over HTTP as RFC 9457 problems, and the id by which a request is found in the logs.

Apps served by listeners.py get all of this without asking: an unknown path (404), a wrong method
(405 with Allow), a body too large (413), a raised `Problem`, and anything unexpected (500 with a
request id and nothing else). Which problems a service knows belongs to the service.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from structlog.contextvars import bind_contextvars

from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = "X-Request-ID"
CONTENT_TYPE = "application/problem+json"
BODY_LIMIT = 64 * 1024
BODY_TIMEOUT_S = 10.0

_REQUEST_ID_KEY = web.RequestKey("request_id", str)
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,63}")
_DETAILS = {
    400: "The request can't be understood.",
    404: "There is nothing at this path.",
    405: "This path doesn't take this method; Allow names those it takes.",
    413: "The body is larger than this path takes.",
    417: "Of Expect, only 100-continue is understood.",
    500: "Something went wrong here; the log has the details under this request id.",
    504: "The request took too long.",
}

log = get_logger()


class Problem(Exception):
    """An answer that says no. Raise it in a handler, or send `response()`.

    `title` names the kind of problem, `detail` this case and what to do next, `type` is its URI
    when it has one, `extra` are further members of the body, `headers` of the response.
    """

    def __init__(
        self,
        status: int,
        title: str = "",
        detail: str = "",
        *,
        type: str = "about:blank",  # noqa: A002 - the member's name in RFC 9457
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.type = type
        self.extra = extra or {}
        self.headers = headers or {}

    def response(self, request_id: str = "") -> web.Response:
        body: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        body.update(self.extra)
        headers = {"Cache-Control": "no-store", **self.headers}
        if request_id:
            body["request_id"] = headers[REQUEST_ID] = request_id
        return web.Response(
            status=self.status,
            body=orjson.dumps(body),
            content_type=CONTENT_TYPE,
            headers=headers,
        )


def plain(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem for a bare HTTP status, in words that repeat nothing of the request."""
    return Problem(status, detail=_DETAILS.get(status, ""), headers=headers)


def guarded(handler: Handler) -> Handler:
    """Turn what `handler` raises into problem+json; redirects pass.

    Nearly free when nothing is raised. Listeners wrap every app in it.
    """

    @functools.wraps(handler)
    async def guard(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.response(request_id(request))
        except web.HTTPException as refusal:
            if refusal.status < 400:
                raise
            allow = {"Allow": refusal.headers["Allow"]} if "Allow" in refusal.headers else None
            return plain(refusal.status, allow).response(request_id(request))
        except web.RequestPayloadError:
            broken = Problem(400, detail="The body breaks off or is not encoded as it says.")
            return broken.response(request_id(request))
        except Exception as error:
            if request.transport is None and isinstance(error, ConnectionError):
                raise  # the client is gone and reads no answer; aiohttp knows
            # The outer frame of a request: the next one owes nothing to this one's state.
            log.exception("request_failed", request_id=request_id(request), method=request.method)
            return plain(500).response(request_id(request))

    return guard


def unreadable(request: web.BaseRequest, error: BaseException | None) -> web.Response:
    """Answer what isn't HTTP: short, without a word of it, and the last on its connection."""
    log.debug("malformed_request_refused", peer=request.remote, error=type(error).__name__)
    status = error.code if isinstance(error, HttpProcessingError) else 400
    response = plain(status if 400 <= status < 500 else 400).response()
    response.force_close()
    return response


def identified(handler: Handler) -> Handler:
    """Put the request id on every log line of the request and on its response.

    For everything but the hottest paths, which call `request_id` when they need it.
    """

    @functools.wraps(handler)
    async def identify(request: web.Request) -> web.StreamResponse:
        identity = request_id(request)
        # Each request runs in a context of its own: there is nothing to unbind.
        bind_contextvars(request_id=identity)
        response = await handler(request)
        if not response.prepared:
            response.headers[REQUEST_ID] = identity
        return response

    return identify


class _Ids:
    """Names no two requests share: some randomness for the process, then a count."""

    def __init__(self) -> None:
        self._prefix = SystemRandomness().token(5)
        self._numbers = itertools.count(1)

    def next(self) -> str:
        return f"{self._prefix}-{next(self._numbers):x}"


_ids = _Ids()
new_id = _ids.next
"""An id for a request that brings none."""


def request_id(request: web.BaseRequest) -> str:
    """Return the caller's X-Request-ID if it is short and harmless, else one of our own."""
    known = request.get(_REQUEST_ID_KEY)
    if known is None:
        theirs = request.headers.get(REQUEST_ID, "")
        known = theirs if _SANE_ID.fullmatch(theirs) else _ids.next()
        request[_REQUEST_ID_KEY] = known
    return known


async def read_json(
    request: web.Request, *, limit: int = BODY_LIMIT, timeout_s: float = BODY_TIMEOUT_S
) -> Any:
    """Read a JSON body of at most `limit` bytes; an empty one is None.

    Raises Problem: 400 for what isn't JSON, 408 when it doesn't arrive in time, 413.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise Problem(413, detail=f"A body here has at most {limit} bytes.")
    except TimeoutError:
        raise Problem(408, detail=f"The body did not arrive within {timeout_s:g} s.") from None
    try:
        return orjson.loads(body) if body.strip() else None
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, "Bad JSON", f"The body is not JSON: {where}.") from None
