"""The control calls about menus: edits in the web console, their history, and what users see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from zhongkong.emulator import control_bodies as bodies, menu_views as views
from zhongkong.emulator.console_menu_bodies import ConsoleMenu
from zhongkong.emulator.control_io import Answer, checked, read_body
from zhongkong.emulator.control_people import ACCOUNT, known_user

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.console import Console
    from zhongkong.emulator.world import World

_CONSOLE_MENU: Final = f"{ACCOUNT}/console-menu"


class MenuCalls:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, world: World, account: Callable[[str], AccountState]) -> None:
        self._world = world
        self._account = account
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_PUT, _CONSOLE_MENU): self.publish,
            (hdrs.METH_POST, f"{_CONSOLE_MENU}/closing"): self.close,
            (hdrs.METH_POST, f"{_CONSOLE_MENU}/opening"): self.open,
            (hdrs.METH_GET, f"{ACCOUNT}/menu-history"): self.history,
            (hdrs.METH_GET, f"{ACCOUNT}/users/{{openid}}/menu"): self.seen,
        }

    async def publish(self, http: web.Request) -> Answer:
        account = self._asked(http)
        menu = await read_body(http, ConsoleMenu)
        self._console.publish_menu(account.appid, menu.buttons(), self._now())
        return views.state(account.menus.state)

    async def close(self, http: web.Request) -> Answer:
        return self._switch(http, is_open=False)

    async def open(self, http: web.Request) -> Answer:
        return self._switch(http, is_open=True)

    async def history(self, http: web.Request) -> Answer:
        account = self._asked(http)
        question = checked(bodies.MenuHistoryQuestion.model_validate, dict(http.query))
        return views.history(account.menus, question.after, question.count)

    async def seen(self, http: web.Request) -> Answer:
        account = self._asked(http)
        user = known_user(account, http.match_info["openid"])
        glance = checked(bodies.MenuGlance.model_validate, dict(http.query))
        openid, now = user.profile.openid, self._now()
        menu = self._console.look_at_menu(
            account.appid, openid, now, enters=glance.enter, later=glance.later
        )
        return views.fetched(menu, account.menus.state, user.profile)

    def _switch(self, http: web.Request, *, is_open: bool) -> Answer:
        account = self._asked(http)
        self._console.switch_menu(account.appid, self._now(), is_open=is_open)
        return views.state(account.menus.state)

    def _asked(self, http: web.Request) -> AccountState:
        return self._account(http.match_info["appid"])

    @property
    def _console(self) -> Console:
        return self._world.model.console

    def _now(self) -> float:
        return self._world.time.now()
