"""Requests that were looked through and let in before: an equal one needs no second look.

An SDK repeats its lines and headers all day, token included. What time, a revocation or a key that
was shown since can take from such a request is asked each time, in `clearance`; changed accounts
and clients make all of it void.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.proxy.admission import Admitted
    from token_service.proxy.headers import RawHeaders
    from token_service.proxy.outgoing import Outgoing

_REMEMBERED: Final = 1024
_REMEMBERED_BYTES: Final = 4096
_LENGTH: Final = b"content-length"


@dataclass(frozen=True, slots=True)
class Cleared:
    """A request that may go on to WeChat, all but its body, which `outgoing` leaves out.

    `keys_seen`: how many keys of clients it was looked through for as texts.
    """

    who: Admitted
    outgoing: Outgoing
    keys_seen: int


class Precedents:
    """Callers choose their requests, so what is remembered of them is bounded."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, RawHeaders], Cleared] = {}

    def of(self, request: web.Request) -> Cleared | None:
        """What came of a request with the same line and headers."""
        return self._known.get((request.method, request.raw_path, _headers(request)))

    def note(self, request: web.Request, cleared: Cleared) -> None:
        """Requests like this one may go on."""
        target, headers = request.raw_path, _headers(request)
        size = len(target) + sum(len(name) + len(value) for name, value in headers)
        if size <= _REMEMBERED_BYTES:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[request.method, target, headers] = cleared


def _headers(request: web.Request) -> RawHeaders:
    if not request.body_exists:
        return request.raw_headers
    # Bodies differ in length, and how long this one is, is told anew to WeChat.
    return tuple([pair for pair in request.raw_headers if pair[0].lower() != _LENGTH])
