"""Pages that test after test uses: to open one takes longer than most of what is done on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page

from tests.browser.views import Look, new_page

_Kind = tuple[str, float]


class Tabs:
    """The open pages of a browser. Those that nobody has stay where they were, and unheard."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: defaultdict[_Kind, list[Page]] = defaultdict(list)

    @asynccontextmanager
    async def page(self, look: Look) -> AsyncIterator[Page]:
        """A page for one alone, which remembers nothing of others. What fails takes it along."""
        free = self._free[look.locale, look.scale]
        page = free.pop() if free else await new_page(self._browser, look)
        width, height = look.size
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme="dark" if look.dark else "light")
        try:
            yield page
            await page.evaluate("localStorage.clear()")
            await page.context.clear_cookies()
        except BaseException:
            await page.context.close()
            raise
        free.append(page)
