"""A page in a browser: what it complained of, and short ways to use the phone. No server here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Error, Locator, Page, async_playwright, expect

PATIENCE_MS = 30_000
LOOKS_EVERY_MS = 3_000
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Browser]:
    """The Chromium of this machine, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        await browser.close()


@dataclass(frozen=True)
class Look:
    """A screen and who looks at it. `scale`: device pixels to one of the page's."""

    locale: str = "zh-CN"
    size: tuple[int, int] = (1360, 900)
    dark: bool = False
    scale: float = 1


async def new_page(browser: Browser, look: Look) -> Page:
    """A page in a context of its own; nothing moves on it, and its time can be put forward."""
    width, height = look.size
    context = await browser.new_context(
        locale=look.locale,
        viewport={"width": width, "height": height},
        device_scale_factor=look.scale,
        color_scheme="dark" if look.dark else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.clock.install()
    return page


@dataclass
class View:
    """`complaints` are what the browser reported: errors of scripts, and breaches of the policy."""

    page: Page
    complaints: list[str] = field(default_factory=list, kw_only=True)

    def listen(self) -> None:
        """Write down complaints from now on."""
        self.page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        self.page.on("pageerror", self._failed)
        self.page.on("console", self._heard)

    def hear_no_more(self) -> None:
        """Fails when the browser complained."""
        self.page.remove_listener("pageerror", self._failed)
        self.page.remove_listener("console", self._heard)
        assert self.complaints == []

    async def save(self, path: Path, *, whole: bool = False) -> None:
        """A picture of what is seen, or of the `whole` page however long it is."""
        await self.page.screenshot(path=path, full_page=whole)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _heard(self, message: Any) -> None:
        # A refused call (400) or a picture that isn't there (404) is the page's business.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


@dataclass
class PhoneView(View):
    """The phone page. Names of buttons are Chinese where a method needs them."""

    async def open(self, url: str, *, has_menu: bool) -> None:
        """`has_menu`: there is one to wait for, which takes the place of the line to type in."""
        self.listen()
        await self.page.goto(url)
        await expect(self.log).to_be_visible()
        if has_menu:
            await expect(self.page.locator(".menu-bar")).to_be_visible()

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

    def below(self, name: str) -> Locator:
        """An entry of the sub-menu that is open."""
        return self.page.get_by_role("menuitem", name=name, exact=True)

    async def say(self, text: str) -> None:
        """Type it and press Enter."""
        area = self.page.get_by_role("textbox", name="输入消息")
        if not await area.is_visible():
            await self.page.get_by_role("button", name="切换到键盘").click()
        await area.fill(text)
        await area.press("Enter")

    async def look_again(self) -> None:
        """Let the page's time pass until it asks for what nobody tells it."""
        await self.page.clock.fast_forward(LOOKS_EVERY_MS)

    async def enter_again(self) -> None:
        """Leave the chat and come back."""
        await self.page.locator(".chat-head button").first.click()
        await self.page.locator(".chat-row").first.click()

    async def fetch_menu(self) -> None:
        """Follow the strip that says that the menu on the phone is an old one, once it is there."""
        await self.look_again()
        await self.page.locator(".outdated button").click()

    async def be(self, nickname: str) -> None:
        """Give the phone to another user."""
        await self.page.locator(".who").click()
        await self.page.locator(".person", has_text=nickname).click()
        await expect(self.page.locator(".who")).to_contain_text(nickname)
