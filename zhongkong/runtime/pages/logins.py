"""Who is logged in: the admin key typed once, a session from then on.

The key itself is in no cookie, no address and no log. What the browser is told stands in cookies.
"""

from __future__ import annotations

from enum import Enum, auto
from math import ceil
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.logs import AuditLine
from zhongkong.runtime.pages import cookies
from zhongkong.runtime.pages.login_limit import LoginLimit
from zhongkong.runtime.pages.sessions import Sessions
from zhongkong.runtime.problems import request_id

if TYPE_CHECKING:
    from aiohttp import web

    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.pages.sessions import Session

_LOGGED_IN: Final = AuditLine("admin_logged_in", ("request_id", "peer"))
_REFUSED: Final = AuditLine("admin_login_refused", ("request_id", "peer"), "warning")


class Try(Enum):
    """How an attempt to log in ended."""

    RIGHT = auto()
    WRONG = auto()
    TOO_SOON = auto()


class Logins:
    """The sessions of one service's pages."""

    def __init__(self, guard: Guard, service: str, clock: Clock, randomness: Randomness) -> None:
        self._guard = guard
        self._service = service
        self._clock = clock
        self._sessions = Sessions(clock, randomness)
        self._limit = LoginLimit()

    def knows(self, request: web.Request) -> bool:
        """Whether the request comes with a login that lives."""
        return self.session_of(request) is not None

    def session_of(self, request: web.Request) -> Session | None:
        """The login that the request comes with, while it lives."""
        return self._sessions.find(cookies.session_name(request, self._service))

    def attempt(self, request: web.Request, key: str) -> Try:
        """Compare a typed key, unless too many were wrong of late."""
        peer, now = request.remote or "", self._clock.monotonic()
        if self._limit.wait_s(peer, now) > 0:
            return Try.TOO_SOON
        if not self._guard.is_key(key):
            self._limit.note_failure(peer, now)
            _REFUSED.write(request_id(request), peer)
            return Try.WRONG
        self._limit.forgive(peer)
        _LOGGED_IN.write(request_id(request), peer)
        return Try.RIGHT

    def wait_s(self, request: web.Request) -> int:
        """Whole seconds until this peer may try again."""
        return ceil(self._limit.wait_s(request.remote or "", self._clock.monotonic()))

    def begin(self, request: web.Request, answer: web.Response) -> None:
        """Open a session in place of the one that came with the request."""
        self._sessions.close(cookies.session_name(request, self._service))
        cookies.set_session(answer, request, self._service, self._sessions.open())

    def end(self, request: web.Request, answer: web.Response) -> None:
        """End the session that came with the request."""
        self._sessions.close(cookies.session_name(request, self._service))
        cookies.forget_session(answer, request, self._service)
