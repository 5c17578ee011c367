"""The real local world before a browser: what the story tells and the READMEs' pictures show."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import orjson
from playwright.async_api import expect

from tests.browser.tabs import Tabs
from tests.browser.views import Look, PhoneView, View
from tests.local_world.worlds import World, control, environment
from zhongkong.local_world import kept, names, plan

_CALL_WITHIN_S = 60.0
V = TypeVar("V", bound=View)


@dataclass
class Stage:
    """One `zhongkong up` that is ready, and pages of a browser."""

    world: World
    tabs: Tabs

    @asynccontextmanager
    async def phone(self, look: Look | None = None) -> AsyncIterator[PhoneView]:
        """The phone page. In the end the browser must not have complained, nor a secret shown."""
        async with self.tabs.page(look or Look()) as page, self._watched(PhoneView(page)) as view:
            await view.open(self.url("emulator"), has_menu=True)
            yield view

    @asynccontextmanager
    async def page(
        self, listener: str, path: str = "/", look: Look | None = None
    ) -> AsyncIterator[View]:
        """A page of a service, after a login with the admin key; held to the same."""
        async with self.tabs.page(look or Look()) as page, self._watched(View(page)) as view:
            view.listen()
            await view.page.goto(f"{self.url(listener)}/")
            await view.page.locator("#key").fill(self.secret(names.ADMIN_KEY))
            await view.page.locator("button.main").click()
            await expect(view.page.locator("#key")).to_have_count(0)
            if path != "/":
                await view.page.goto(f"{self.url(listener)}{path}")
            yield view

    async def require_no_secret(self, view: View) -> None:
        """Fails when the page that is open shows a secret of the world, or a living token."""
        shown = await view.page.content()
        secrets = await self._secrets()
        assert [name for name, secret in secrets.items() if secret in shown] == []

    def url(self, listener: str) -> str:
        return plan.url(self.world.base, listener)

    def secret(self, name: str) -> str:
        """What a file of the world's folder holds."""
        return (self.world.folder / name).read_text(encoding="utf-8").strip()

    @contextmanager
    def menu_with(self, before: str, after: str) -> Iterator[None]:
        """Change a text in the desired menu, and put it back."""
        path = self.world.folder / names.MENU
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")

    def live_menu(self) -> list[str]:
        """What stands on the menu that is live now, whatever phones still show. Blocks."""
        history = control(self.world.base, "GET", f"/accounts/{names.APPID}/menu-history")
        return [button["name"] for button in history["now"]["button"]]

    async def control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A control call of the emulator; `{account}` in the path is the world's account."""
        path = path.replace("{account}", f"/accounts/{names.APPID}")
        return await _json(method, f"{self.url('emulator')}/_emulator{path}", body)

    async def proxied(self, path: str) -> dict[str, Any]:
        """Call WeChat through the token service, as the service `orders` does."""
        url = f"{self.url('token service')}/v1/accounts/{names.ACCOUNT}/wechat{path}"
        key = self.secret(names.ORDERS_KEY)
        return await _json("GET", url, headers={"Authorization": f"Bearer {key}"})

    async def reconcile(self) -> None:
        """Have the menu worker look at its file and at the live menu now, and put it right."""
        await asyncio.to_thread(self.world.reconcile)

    def menu_plan(self) -> subprocess.CompletedProcess[str]:
        """What `menu-worker plan` says: 0 where nothing is to change. Blocks for a second."""
        config = str(self.world.folder / names.MENU_WORKER_CONFIG)
        argv = [sys.executable, "-m", "menu_worker", "plan", "--config", config]
        return subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=_CALL_WITHIN_S,
            check=False,
            env=environment(),
        )

    @asynccontextmanager
    async def _watched(self, view: V) -> AsyncIterator[V]:
        try:
            yield view
            await self.require_no_secret(view)
        finally:
            view.hear_no_more()

    async def _secrets(self) -> dict[str, str]:
        """By a name to tell: what is kept in the world's folder, and the tokens that live."""
        account = await self.control("GET", "{account}")
        tokens = {
            f"{family} token {number}": str(token["value"])
            for family in ("classic", "stable")
            for number, token in enumerate(account[family])
        }
        return {**tokens, **{name: self.secret(name) for name in kept.FORMS}}


async def _json(
    method: str, url: str, body: object = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    data = None if body is None else orjson.dumps(body)
    timeout = aiohttp.ClientTimeout(_CALL_WITHIN_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(method, url, data=data, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return dict(await answer.json(content_type=None))
