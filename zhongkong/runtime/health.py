"""The two questions of a supervisor: does the loop turn, and should this process get traffic.

Neither needs a key, names anything, or causes a call. The state of accounts is told elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from zhongkong.runtime.lifecycle import Stop

HEALTHZ = "/healthz"
READYZ = "/readyz"
DRAINING = "draining"
UNNAMED = "not ready"

# Words that somebody wrote into the source; names of accounts and hosts have other signs, too.
_HARMLESS = re.compile(r"[a-z ]{1,60}")
_HEADERS = {"Cache-Control": "no-store"}


class Readiness:
    """Whether this process should get traffic now.

    `reason` returns None when it should, else a few lower-case words without names, such as
    "starting"; anything else is shown as "not ready". Once a stop is requested it never should.
    """

    def __init__(self, reason: Callable[[], str | None], stop: Stop) -> None:
        self._reason = reason
        self._stop = stop

    def reason(self) -> str | None:
        if self._stop.requested:
            return DRAINING
        reason = self._reason()
        if reason is None or _HARMLESS.fullmatch(reason):
            return reason
        return UNNAMED


def add_health(app: web.Application, readiness: Readiness) -> None:
    """Add GET /healthz (always 200: it answers, so the loop turns) and /readyz (200 or 503)."""

    async def healthz(_request: web.Request) -> web.Response:
        return _answer(200, {"status": "alive"})

    async def readyz(_request: web.Request) -> web.Response:
        reason = readiness.reason()
        if reason is None:
            return _answer(200, {"status": "ready"})
        return _answer(503, {"status": "not ready", "reason": reason})

    app.router.add_get(HEALTHZ, healthz)
    app.router.add_get(READYZ, readyz)


def _answer(status: int, body: dict[str, str]) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers=_HEADERS,
    )
