"""What is kept of every call, whichever face it came in by: one count and one audit line.

A refusal becomes an answer in the caller's language here. What a call is and where it goes is
decided in `service`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from token_service import audit
from token_service.proxy.passed import Passed
from token_service.proxy.refusal import Face, Outcome, Refusal
from token_service.proxy.tally import NOBODY
from zhongkong.runtime.problems import REQUEST_ID, new_id, request_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from token_service.proxy.admission import Admitted
    from token_service.proxy.tally import ProxyTallies
    from zhongkong.runtime.clock import Clock

    Flow = Callable[[web.Request, "Note"], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Note:
    """What is told of one call in the end. No query, no value."""

    who: Admitted
    path_class: str = NOBODY
    path: str = NOBODY
    outcome: Outcome = Outcome.BROKEN_OFF
    status: int = 499


class Books:
    """Counts and audits calls."""

    def __init__(self, tallies: ProxyTallies, clock: Clock) -> None:
        self._tallies = tallies
        self._clock = clock
        self._lines = audit.Lines(audit.CALL_PROXIED)

    async def answered(
        self, face: Face, flow: Flow, who: Admitted, request: web.Request
    ) -> web.StreamResponse:
        """Run a flow. What it makes of the call is in its note."""
        began = self._clock.monotonic()
        note = Note(who)
        response: web.StreamResponse | None = None
        try:
            response = await flow(request, note)
            note.status = response.status
        except Refusal as refusal:
            note.outcome = refusal.outcome
            response = _refused(refusal, face, request)
            note.status = response.status
        finally:
            who, outcome, path_class = note.who, note.outcome, note.path_class
            took_s = self._clock.monotonic() - began
            self._tallies.add(who.client, who.account_name, path_class, outcome, took_s)
            method = request.method[:16]
            # Where no other line and no answer tells the id, it needn't be kept with the request.
            told = type(response) is not Passed or REQUEST_ID in request.headers
            self._lines.write(
                request_id(request) if told else new_id(),
                (who.client, who.account_name, path_class, method, note.path, note.status, outcome),
            )
        return response


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
