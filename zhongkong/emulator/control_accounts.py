"""The control calls about accounts: what their administrator does at WeChat's console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from zhongkong.emulator import control_bodies as bodies, views
from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.control_io import Answer, read_body, trying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.model import WeChatModel
    from zhongkong.emulator.world import World


class Accounts:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, world: World, account: Callable[[str], AccountState]) -> None:
        self._world = world
        self._account = account
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, "/accounts"): self.accounts,
            (hdrs.METH_POST, "/accounts"): self.add_account,
            (hdrs.METH_GET, "/accounts/{appid}"): self.account,
            (hdrs.METH_PATCH, "/accounts/{appid}"): self.change_account,
            (hdrs.METH_POST, "/accounts/{appid}/confirmations"): self.confirm,
        }

    async def accounts(self, _: web.Request) -> Answer:
        now = self._world.time.now()
        return {"accounts": [views.account(each, now) for each in self._model.accounts.values()]}

    async def add_account(self, http: web.Request) -> Answer:
        declared = await read_body(http, EmulatedAccount)
        state = trying(self._model.platform.add_account, declared)
        return views.account(state, self._world.time.now())

    async def account(self, http: web.Request) -> Answer:
        return views.account(self._asked(http), self._world.time.now())

    async def change_account(self, http: web.Request) -> Answer:
        state = self._asked(http)
        change = await read_body(http, bodies.AccountChange)
        console, present = self._model.console, change.model_fields_set
        if "frozen" in present:
            console.freeze(state.appid, change.frozen)
        if change.token_barred is not None:
            console.bar_tokens(state.appid, barred=change.token_barred)
        if change.allowlist is not None:
            console.set_allowlist(state.appid, change.allowlist)
        if change.secret is not None:
            console.reset_secret(state.appid, change.secret, self._world.time.now())
        if change.menu_rights is not None:
            console.set_menu_rights(state.appid, change.menu_rights)
        if "mini_programs" in present:
            console.link_mini_programs(state.appid, change.mini_programs)
        if change.secret_frozen is not None:
            console.freeze_secret(state.appid, frozen=change.secret_frozen)
        return views.account(state, self._world.time.now())

    async def confirm(self, http: web.Request) -> Answer:
        state = self._asked(http)
        tap = await read_body(http, bodies.Confirmation)
        if tap.decision == "approve":
            self._model.console.approve(state.appid, tap.address)
        else:
            self._model.console.refuse(state.appid, tap.address, self._world.time.now())
        return views.account(state, self._world.time.now())

    def _asked(self, http: web.Request) -> AccountState:
        return self._account(http.match_info["appid"])

    @property
    def _model(self) -> WeChatModel:
        return self._world.model
