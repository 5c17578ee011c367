"""What a test has before it: the page, the emulator behind it, and short ways to use both."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.emulator.platforms import SECRET
from zhongkong.emulator.world import World

_PATIENCE_MS = 10_000


@dataclass
class Desk:
    """`complaints` are what the browser reported: errors of scripts, and breaches of the policy."""

    world: World
    server: TestServer
    context: BrowserContext
    page: Page
    screenshots: Path
    appid: str
    complaints: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        self.page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        await self.page.goto(str(self.server.make_url("/")))
        await expect(self.log).to_be_visible()

    async def end(self) -> None:
        await self.context.close()
        await self.server.close()
        assert self.complaints == []

    def _heard(self, message: Any) -> None:
        # A refused call (400) or a picture that isn't there (404) is the page's business.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    @property
    def log(self) -> Locator:
        return self.page.locator(".log")

    @property
    def theirs(self) -> Locator:
        """What the account said."""
        return self.page.locator(".line.theirs")

    @property
    def cards(self) -> Locator:
        """The pushes on the wire."""
        return self.page.locator(".push-card")

    def top(self, name: str) -> Locator:
        """A button of the menu bar."""
        return self.page.locator(".menu-bar").get_by_role("button", name=name, exact=True)

    async def say(self, text: str) -> None:
        """Type it and press Enter."""
        area = self.page.get_by_role("textbox", name="输入消息")
        if not await area.is_visible():
            await self.page.get_by_role("button", name="切换到键盘").click()
        await area.fill(text)
        await area.press("Enter")

    async def enter_again(self) -> None:
        """Leave the chat and come back."""
        await self.page.locator(".chat-head button").first.click()
        await self.page.locator(".chat-row").first.click()

    async def picture(self, name: str) -> None:
        await self.page.screenshot(path=self.screenshots / f"{name}.png")

    async def control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return await self._call(method, f"/_emulator{path}", body)

    async def wechat(self, path: str, body: object) -> dict[str, Any]:
        """Call WeChat's API as the account does."""
        query = f"grant_type=client_credential&appid={self.appid}&secret={SECRET}"
        token = (await self._call("GET", f"/cgi-bin/token?{query}"))["access_token"]
        joint = "&" if "?" in path else "?"
        done = await self._call("POST", f"{path}{joint}access_token={token}", body)
        assert done.get("errcode", 0) == 0, done
        return done

    async def make_menu(self, *buttons: dict[str, Any]) -> None:
        await self.wechat("/cgi-bin/menu/create", {"button": list(buttons)})

    async def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        url = str(self.server.make_url("")).rstrip("/") + path
        # WeChat refuses what Python's own JSON writes as \\uXXXX.
        data = None if body is None else orjson.dumps(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=data) as answer,
        ):
            return dict(await answer.json(content_type=None))
