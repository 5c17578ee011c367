"""The menu worker's pages: what they ask for, what their forms do.

What they show is in status_page; that of the phones is made by preview.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from menu_worker.diff import diff
from menu_worker.passes import NOT_TO_BE_ASKED
from menu_worker.preview import render
from menu_worker.result_told import told
from menu_worker.status_page import (
    ACCOUNT_PAGE,
    ACCOUNT_TEMPLATE,
    PAUSE_FORM,
    PHONES_PAGE,
    RECONCILE_FORM,
    RESUME_FORM,
    REVISIONS_SHOWN,
    TEMPLATE,
    account_content,
    content,
)
from zhongkong.runtime.pages.site import query_of
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from menu_worker.account_state import AccountState
    from menu_worker.fleet import Fleet
    from menu_worker.worker import Worker
    from zhongkong.runtime.pages.site import Site
    from zhongkong.runtime.pages.visits import Visit

    Switch = Callable[..., Awaitable[None]]

_WAITED_S: Final = 20.0
"""A form is answered by then; what isn't done goes on."""


class Pages:
    """The status page, one of each account, and its phones.

    `switch(request, account, paused=…)` and `reconcile(request, account, within_s)` are what the
    API does, audit and all.
    """

    def __init__(
        self,
        worker: Worker,
        fleet: Fleet,
        status: Callable[[], dict[str, Any]],
        *,
        reconcile: Callable[..., Awaitable[Mapping[str, Any]]],
        switch: Switch,
    ) -> None:
        self._worker = worker
        self._fleet = fleet
        self._status = status
        self._reconcile_now = reconcile
        self._switch = switch

    def mount(self, site: Site) -> None:
        """Add them to the site of the internal listener."""
        site.add_status_page(TEMPLATE, self._show)
        site.add_page(ACCOUNT_PAGE, ACCOUNT_TEMPLATE, self._show_account)
        site.add_document(PHONES_PAGE, self._phones)
        site.add_form(RECONCILE_FORM, self._reconcile)
        site.add_form(PAUSE_FORM, self._pause)
        site.add_form(RESUME_FORM, self._resume)

    async def _show(self, visit: Visit) -> Mapping[str, Any]:
        results = {each.account: each.result for each in self._worker.states}
        return content(self._status(), results, visit.words, query_of(visit))

    async def _show_account(self, visit: Visit) -> Mapping[str, Any]:
        state = self._state(visit.request.match_info["account"])
        document = self._status()
        account = next(each for each in document["accounts"] if each["account"] == state.account)
        try:
            revisions = await self._fleet.store.history(state.account, limit=REVISIONS_SHOWN)
        except StoreUnavailable:
            revisions = None
        return account_content(account, state.result, revisions, visit.words, document["now"])

    async def _phones(self, visit: Visit) -> str:
        """Reads the live menu anew, which is a call of the day's 10,000. Raises Problem."""
        state = self._state(visit.request.match_info["account"])
        if state.desired is None:
            raise Problem(404, "No desired menu", state.trouble or "No file has one.")
        desired = state.desired.menu
        try:
            live = await self._fleet.menus(state.account).read()
        except NOT_TO_BE_ASKED as trouble:
            raise Problem(503, "Live menu not read", str(trouble)) from None
        changes = diff(live.menu, desired)
        return await asyncio.to_thread(render, desired, live, changes, state.account)

    async def _reconcile(self, visit: Visit, fields: Mapping[str, str]) -> str:
        account = self._state(fields.get("account", "")).account
        results = await self._reconcile_now(visit.request, account, _WAITED_S)
        result = results.get(account)
        if result is None:
            return visit.words("reconcile_pending", account=account)
        return visit.words("reconciled", account=account, result=told(result, visit.words))

    async def _pause(self, visit: Visit, fields: Mapping[str, str]) -> str:
        account = self._state(fields.get("account", "")).account
        await self._switch(visit.request, account, paused=True)
        return visit.words("was_paused", account=account)

    async def _resume(self, visit: Visit, fields: Mapping[str, str]) -> str:
        account = self._state(fields.get("account", "")).account
        await self._switch(visit.request, account, paused=False)
        return visit.words("was_resumed", account=account)

    def _state(self, account: str) -> AccountState:
        for state in self._worker.states:
            if state.account == account:
                return state
        raise Problem(404, "Unknown account", "No desired menu is for this account.")
