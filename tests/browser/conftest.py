"""One Chromium and its pages for all, and for each test an emulator and a receiver of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.browser.desk import Desk
from tests.browser.tabs import Tabs
from tests.browser.views import Look, chromium
from tests.emulator.callbacks.receivers import KEY, TOKEN, Receiver
from tests.emulator.platforms import APPID, OTHER_APPID, OTHER_SECRET, account, user
from tests.fixtures.tools import require_tool
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.server import make_app
from zhongkong.emulator.slow_handler import SlowHandlerSettings
from zhongkong.emulator.world import Setup, World
from zhongkong.runtime.clock import SystemClock

SCREENSHOTS = "ZHONGKONG_SCREENSHOTS"
OpenPhone = Callable[..., Awaitable[Desk]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with chromium(require_tool("chromium")) as browser:
        yield browser


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the page go, for people to look at."""
    named = os.environ.get(SCREENSHOTS)
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture(loop_scope="package")
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with TestServer(receiver.app()) as server:
        receiver.url = str(server.make_url("/callback"))
        yield receiver
        receiver.let_go.set()


@pytest_asyncio.fixture(loop_scope="package")
async def open_phone(tabs: Tabs, receiver: Receiver, screenshots: Path) -> AsyncIterator[OpenPhone]:
    """Open the page of an account with a menu of `buttons`.

    With `slow_handler` the receiver takes delays too. `switches` are parameters of the emulator,
    the rest is the browser's.
    """
    ends = AsyncExitStack()

    async def opened(
        *buttons: dict[str, Any],
        locale: str = "zh-CN",
        size: tuple[int, int] = (1360, 900),
        dark: bool = False,
        slow_handler: bool = False,
        **switches: object,
    ) -> Desk:
        callback = CallbackSettings(url=receiver.url, token=TOKEN, aes_key=KEY)
        slow = SlowHandlerSettings(url=receiver.url) if slow_handler else None
        people = (user(nickname="小明"), user("oSecond0000000000000000000000", nickname="小红"))
        accounts = (
            account(callback=callback, users=people, slow_handler=slow),
            account(OTHER_APPID, OTHER_SECRET, original_id="gh_another00001"),
        )
        parameters = Parameters(**switches)  # type: ignore[arg-type]
        world = World(Setup(accounts=accounts, parameters=parameters), SystemClock(), seed=1)
        server = TestServer(make_app(world))
        await server.start_server()
        page = await ends.enter_async_context(tabs.page(Look(locale, size, dark)))
        desk = Desk(page, world, server, screenshots, APPID)
        ends.push_async_callback(desk.end)
        if buttons:
            await desk.make_menu(*buttons)
        await desk.begin(has_menu=bool(buttons))
        return desk

    async with ends:
        yield opened
