"""What the token service answers on its internal listener, beside what every service does there.

Nothing here hands out a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zhongkong.runtime.admin import internal_app
from zhongkong.runtime.answers import json_answer
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.health import Readiness

REVOCATIONS_PATH: Final = "/v1/clients/{name}/revocations"


def make_internal_app(
    guard: Guard,
    readiness: Readiness,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    revoke: Callable[[str], Awaitable[bool]],
) -> web.Application:
    """The application of the internal listener. `revoke` is False for a client that isn't one."""

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

    app = internal_app(guard, readiness, status=status, metrics=metrics)
    app.router.add_post(REVOCATIONS_PATH, revoke_client)
    return app
