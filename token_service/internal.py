"""The internal listener: probes and metrics for machines, the status for people with the admin key.

Nothing here hands out a token. "/" is left free for the status page.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from token_service.answers import json_answer
from token_service.clients import digest_of
from zhongkong.runtime.health import add_health
from zhongkong.runtime.metrics import CONTENT_TYPE
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from zhongkong.runtime.health import Readiness

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

METRICS_PATH: Final = "/metrics"
STATUS_PATH: Final = "/v1/status"
REVOCATIONS_PATH: Final = "/v1/clients/{name}/revocations"
_KEYLESS: Final = frozenset({"/healthz", "/readyz"})
_READING: Final = frozenset({"GET", "HEAD"})


class Guard:
    """Who may call: the Host must be one of ours; what shows names needs the admin key.

    Without a configured key, this machine's own programs may read and nobody else.
    """

    def __init__(self, hosts: Iterable[str], admin_key_sha256: str | None) -> None:
        self._hosts = frozenset(hosts)
        self._digest = None if admin_key_sha256 is None else bytes.fromhex(admin_key_sha256)

    def check(self, request: web.Request) -> None:
        """Raises Problem: 403 for another Host, 401 without the key."""
        if request.path in _KEYLESS:
            return
        if request.method not in _READING and self._digest is None:
            raise _unauthorized("Set `admin_key_sha256`: without it nothing can be changed here.")
        host = host_of(request.headers.get("Host", ""))
        if not (is_loopback(host) or host in self._hosts or host == _own_address(request)):
            raise Problem(
                403,
                "Unknown host",
                "This listener isn't called by this name; `internal_hosts` lists further names.",
            )
        if self._digest is None:
            if not is_loopback(request.remote or ""):
                raise _unauthorized("Set `admin_key_sha256` to read this from another machine.")
        elif not hmac.compare_digest(self._digest, digest_of(request.headers.get("Authorization"))):
            raise _unauthorized(
                "Send `Authorization: Bearer <admin key>`; its SHA-256 is `admin_key_sha256`."
            )


def make_internal_app(
    guard: Guard,
    readiness: Readiness,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    revoke: Callable[[str], Awaitable[bool]],
) -> web.Application:
    """The application of the internal listener. `revoke` is False for a client that isn't one."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        guard.check(request)
        return await handler(request)

    async def show_status(_request: web.Request) -> web.Response:
        return json_answer(status())

    async def show_metrics(_request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return web.Response(body=metrics(), headers=headers)

    async def revoke_client(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            known = await revoke(name)
        except StoreUnavailable:
            raise Problem(
                503,
                "Revoked here only",
                "The store is away: other replicas hear of it when it is back. Try again then.",
                headers={"Retry-After": "5"},
            ) from None
        if not known:
            raise Problem(404, "Unknown client", "No client of this name is configured.")
        return json_answer({"client": name, "revoked": True})

    app = web.Application(middlewares=[guarded], client_max_size=16 * 1024)
    add_health(app, readiness)
    app.router.add_get(STATUS_PATH, show_status)
    app.router.add_get(METRICS_PATH, show_metrics)
    app.router.add_post(REVOCATIONS_PATH, revoke_client)
    return app


def _unauthorized(detail: str) -> Problem:
    return Problem(
        401,
        "No admin key",
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="token_service admin"'},
    )


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
