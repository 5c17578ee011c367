"""What the worker answers on its internal listener, beside what every service does there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from menu_worker.pages import Pages
from menu_worker.result_words import document
from menu_worker.status_page import BRAND
from zhongkong.runtime.admin import internal_app
from zhongkong.runtime.answers import json_answer
from zhongkong.runtime.logs import AuditLine
from zhongkong.runtime.pages.site import Site
from zhongkong.runtime.problems import Problem, read_json, request_id
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from menu_worker.fleet import Fleet
    from menu_worker.results import Result
    from menu_worker.store.base import MenuStore
    from menu_worker.worker import Worker
    from zhongkong.runtime.admin import Guard
    from zhongkong.runtime.clock import Randomness
    from zhongkong.runtime.health import Readiness

RECONCILE_PATH: Final = "/v1/reconcile"
PAUSE_PATH: Final = "/v1/accounts/{account}/pause"
RESUMPTION_PATH: Final = "/v1/accounts/{account}/resumption"

ANSWERED_WITHIN_S: Final = 120.0
PENDING: Final = "pending"
ADMIN: Final = "admin"

_BODY_LIMIT: Final = 4096
ADMIN_ACTED: Final = AuditLine("admin_acted", ("request_id", "by", "what", "account"))


def make_internal_app(
    guard: Guard,
    readiness: Readiness,
    worker: Worker,
    fleet: Fleet,
    *,
    status: Callable[[], dict[str, Any]],
    metrics: Callable[[], bytes],
    look: Callable[[], Awaitable[None]],
    randomness: Randomness,
) -> web.Application:
    """The application of the internal listener. `look` takes over what the files hold now."""
    app = internal_app(guard, readiness, status=status, metrics=metrics)
    calls = _Calls(worker, fleet.store, look)
    app.router.add_post(RECONCILE_PATH, calls.reconcile)
    app.router.add_post(PAUSE_PATH, calls.pause)
    app.router.add_post(RESUMPTION_PATH, calls.resume)
    site = Site(app, guard, BRAND, clock=fleet.clock, randomness=randomness)
    Pages(worker, fleet, status, reconcile=calls.pass_now, switch=calls.switch).mount(site)
    return app


class _Calls:
    def __init__(
        self, worker: Worker, store: MenuStore, look: Callable[[], Awaitable[None]]
    ) -> None:
        self._worker = worker
        self._store = store
        self._look = look

    async def reconcile(self, request: web.Request) -> web.Response:
        """Passes now; what isn't done in time goes on, and is answered as pending."""
        wanted = _wanted(await read_json(request, limit=_BODY_LIMIT))
        results = await self.pass_now(request, wanted, ANSWERED_WITHIN_S)
        return json_answer(
            {
                "accounts": [
                    {"account": name, "result": PENDING, "detail": None, "revision": None}
                    if result is None
                    else document(name, result)
                    for name, result in results.items()
                ]
            }
        )

    async def pass_now(
        self, request: web.Request, wanted: str | None, within_s: float
    ) -> dict[str, Result | None]:
        """Passes now; None for those not done in time. Raises Problem: 404."""
        await self._look()
        if wanted is not None:
            self._known(wanted)
        names = [state.account for state in self._worker.states] if wanted is None else [wanted]
        ADMIN_ACTED.write(request_id(request), ADMIN, "reconcile", wanted or "*")
        return await self._worker.reconcile(names, within_s)

    async def pause(self, request: web.Request) -> web.Response:
        return await self._switched(request, paused=True)

    async def resume(self, request: web.Request) -> web.Response:
        return await self._switched(request, paused=False)

    async def _switched(self, request: web.Request, *, paused: bool) -> web.Response:
        account = self._known(request.match_info["account"])
        await self.switch(request, account, paused=paused)
        return json_answer({"account": account, "paused": paused})

    async def switch(self, request: web.Request, account: str, *, paused: bool) -> None:
        """Switch writing off or on. Raises Problem: 503."""
        try:
            await self._store.pause(account, paused=paused, by=ADMIN)
        except StoreUnavailable:
            raise Problem(
                503,
                "Store away",
                "The store can't be reached; it may have been switched. Try again.",
                headers={"Retry-After": "5"},
            ) from None
        ADMIN_ACTED.write(request_id(request), ADMIN, "pause" if paused else "resumption", account)
        self._worker.wake(account)

    def _known(self, account: str) -> str:
        if not self._worker.knows(account):
            raise Problem(404, "Unknown account", "No desired menu is for this account.")
        return account


def _wanted(body: Any) -> str | None:
    """The account that is meant; None for all. Raises Problem."""
    if body is None:
        return None
    if not isinstance(body, dict) or not body.keys() <= {"account"}:
        raise Problem(400, detail='Send nothing, {} or {"account": "NAME"}.')
    account = body.get("account")
    if account is not None and not isinstance(account, str):
        raise Problem(400, detail="`account` is a name.")
    return account
