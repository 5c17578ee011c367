"""The internal listener of a service: who may call it, and what every one of them answers.

Probes and metrics for machines, the status for people with the admin key. What else stands there
is the service's own; how people look at it is in pages/.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any, Final, Protocol

from aiohttp import web

from zhongkong.runtime.answers import json_answer
from zhongkong.runtime.bearer import digest_of, digest_of_text
from zhongkong.runtime.health import HEALTHZ, READYZ, add_health
from zhongkong.runtime.metrics import CONTENT_TYPE
from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from zhongkong.runtime.health import Readiness

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

METRICS_PATH: Final = "/metrics"
STATUS_PATH: Final = "/v1/status"
LOGIN_PATH: Final = "/login"
STYLE_PATH: Final = "/page.css"
SCRIPT_PATH: Final = "/page.js"
FORMS: Final = "/forms/"
"""Below it are the changes that a login may make; they check where the form came from."""
BODY_LIMIT: Final = 16 * 1024

_KEYLESS: Final = frozenset({HEALTHZ, READYZ})
_OPEN_PAGES: Final = frozenset({LOGIN_PATH, STYLE_PATH, SCRIPT_PATH})
"""Who has no login yet needs them. They show nothing."""
_READING: Final = frozenset({"GET", "HEAD"})
_FOR_METRICS: Final = " The metrics take the key of `metrics_key_sha256`, too."


class Knowing(Protocol):
    """Another way to be known than by the admin key."""

    def knows(self, request: web.Request) -> bool:
        """Whether the request comes with a login that lives."""


class Guard:
    """Who may call: the Host must be one of ours; what shows names needs the admin key.

    Without a configured key, this machine's own programs may read and nobody else. A login stands
    for the key wherever something is read; changes it may make below /forms/ alone. The metrics key
    opens the metrics and nothing else, so that who scrapes needs no admin key.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        admin_key_sha256: str | None,
        *,
        service: str,
        metrics_key_sha256: str | None = None,
    ) -> None:
        """`hosts` are further names of this listener; `service` names it to who is refused."""
        self._hosts = frozenset(hosts)
        self._digest = _digest_in(admin_key_sha256)
        self._metrics_digest = _digest_in(metrics_key_sha256)
        self._challenge = {"WWW-Authenticate": f'Bearer realm="{service} admin"'}
        self._logins: Knowing | None = None

    def accept(self, logins: Knowing) -> None:
        """Let those in, too, who logged in with the key."""
        self._logins = logins

    @property
    def has_key(self) -> bool:
        """Whether an admin key is configured; without one nobody can log in or change anything."""
        return self._digest is not None

    def check(self, request: web.Request) -> None:
        """Raises Problem: 403 for another Host, 401 without the key or a login.

        A browser that opens a page without either is led to the login (HTTPSeeOther).
        """
        if request.path in _KEYLESS:
            return
        if request.method not in _READING and self._digest is None:
            raise self._unauthorized(
                "Set `admin_key_sha256`: without it nothing can be changed here."
            )
        host = host_of(request.headers.get("Host", ""))
        if not (is_loopback(host) or host in self._hosts or host == _own_address(request)):
            raise Problem(
                403,
                "Unknown host",
                "This listener isn't called by this name; `internal_hosts` lists further names.",
            )
        if self._may_scrape(request):
            return
        if self._digest is None:
            if not is_loopback(request.remote or ""):
                raise self._unauthorized(
                    f"Set `admin_key_sha256` to read this from another machine.{_more(request)}"
                )
        elif not self._lets_in(request):
            if self._logins is not None and _is_navigation(request):
                raise web.HTTPSeeOther(LOGIN_PATH, headers={"Cache-Control": "no-store"})
            raise self._unauthorized(
                "Send `Authorization: Bearer <admin key>`; its SHA-256 is `admin_key_sha256`."
                f"{_more(request)}"
            )

    def knows(self, request: web.Request) -> bool:
        """Whether admin key or login came with the request; never without a configured key."""
        return self._is_ours(digest_of(request.headers.get("Authorization"))) or (
            self._digest is not None and self._logins is not None and self._logins.knows(request)
        )

    def is_key(self, key: str) -> bool:
        """Whether this is the admin key."""
        return self._is_ours(digest_of_text(key))

    def _lets_in(self, request: web.Request) -> bool:
        if request.path in _OPEN_PAGES and self._logins is not None:
            return True
        if request.method in _READING or request.path.startswith(FORMS):
            return self.knows(request)
        return self._is_ours(digest_of(request.headers.get("Authorization")))

    def _may_scrape(self, request: web.Request) -> bool:
        return (
            request.path == METRICS_PATH
            and request.method in _READING
            and _is_same(self._metrics_digest, digest_of(request.headers.get("Authorization")))
        )

    def _is_ours(self, digest: bytes) -> bool:
        return _is_same(self._digest, digest)

    def _unauthorized(self, detail: str) -> Problem:
        return Problem(401, "No admin key", detail, headers=self._challenge)


def internal_app(
    guard: Guard,
    readiness: Readiness,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    body_limit: int = BODY_LIMIT,
) -> web.Application:
    """Health, readiness, status and metrics behind the guard; the service adds its own routes."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        guard.check(request)
        return await handler(request)

    async def show_status(_request: web.Request) -> web.Response:
        return json_answer(status())

    async def show_metrics(_request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return web.Response(body=metrics(), headers=headers)

    app = web.Application(middlewares=[guarded], client_max_size=body_limit)
    add_health(app, readiness)
    app.router.add_get(STATUS_PATH, show_status)
    app.router.add_get(METRICS_PATH, show_metrics)
    return app


def _digest_in(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _is_same(configured: bytes | None, digest: bytes) -> bool:
    return configured is not None and hmac.compare_digest(configured, digest)


def _more(request: web.Request) -> str:
    return _FOR_METRICS if request.path == METRICS_PATH else ""


def _is_navigation(request: web.Request) -> bool:
    """Whether a person's browser wants a page; programs and scripts take anything."""
    return request.method in _READING and "text/html" in request.headers.get("Accept", "")


def _own_address(request: web.Request) -> str | None:
    """The address that this connection came in on: no attacker's name can stand for it."""
    own = request.get_extra_info("sockname")
    return own[0] if isinstance(own, tuple) else None


def host_of(header: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine's own and nobody else's."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
