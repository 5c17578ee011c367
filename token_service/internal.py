"""What the token service answers on its internal listener, beside what every service does there.

Nothing here hands out a token. What the page shows is in status_page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from token_service.moving import wish
from token_service.status_page import BRAND, REVOKE_FORM, TEMPLATE, content
from zhongkong.runtime.admin import BODY_LIMIT, internal_app, is_loopback
from zhongkong.runtime.answers import json_answer
from zhongkong.runtime.pages.site import Site, query_of
from zhongkong.runtime.problems import Problem, read_json
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from token_service.moving import Moving
    from token_service.status_page import ClientRow
    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.health import Readiness
    from zhongkong.runtime.pages.visits import Visit

REVOCATIONS_PATH: Final = "/v1/clients/{name}/revocations"
COPIES_PATH: Final = "/v1/store-copies"
FREEZE_PATH: Final = "/v1/store-freeze"

_HANDED_ON: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")


def make_internal_app(
    guard: Guard,
    readiness: Readiness,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    revoke: Callable[[str], Awaitable[bool]],
    clients: Callable[[], list[ClientRow]],
    clock: Clock,
    randomness: Randomness,
) -> web.Application:
    """The application of the internal listener. `revoke` is False for a client that isn't one."""

    async def revoke_named(name: str) -> None:
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

    async def revoke_client(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        await revoke_named(name)
        return json_answer({"client": name, "revoked": True})

    async def revoke_chosen(visit: Visit, fields: Mapping[str, str]) -> str:
        name = fields.get("client", "")
        await revoke_named(name)
        return visit.words("revoke_done", client=name)

    async def show(visit: Visit) -> Mapping[str, Any]:
        return content(status(), clients(), visit.words, query_of(visit))

    app = internal_app(guard, readiness, status=status, metrics=metrics)
    app.router.add_post(REVOCATIONS_PATH, revoke_client)
    site = Site(app, guard, BRAND, clock=clock, randomness=randomness)
    site.add_status_page(TEMPLATE, show)
    site.add_form(REVOKE_FORM, revoke_chosen)
    return app


def comes_from_here(peer: str | None, own: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a request was made on this machine, not handed on by a proxy that runs here.

    `peer` and `own` are both ends of its connection; equal ones are one machine's.
    """
    if peer is None or any(name in headers for name in _HANDED_ON):
        return False
    return is_loopback(peer) or peer == own


def add_moving(app: web.Application, moving: Moving) -> None:
    """Let the holder of the admin key copy the store and thaw it, the first from here alone."""

    async def copy_store(request: web.Request) -> web.Response:
        own = request.get_extra_info("sockname") or (None,)
        if not comes_from_here(request.remote, own[0], request.headers):
            raise Problem(
                403,
                "Not from here",
                "The address of a store carries its password, and this listener has no TLS: ask "
                "for a copy on the machine where the service runs.",
            )
        return json_answer(await moving.copy(wish(await read_json(request, limit=BODY_LIMIT))))

    async def thaw_store(_request: web.Request) -> web.Response:
        return json_answer(await moving.thaw())

    app.router.add_post(COPIES_PATH, copy_store)
    app.router.add_delete(FREEZE_PATH, thaw_store)
