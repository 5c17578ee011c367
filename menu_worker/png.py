"""A page as a picture, drawn by the Chromium of this machine.

Chromium is driven over a pair of pipes, so that no port is opened, with a profile of its own that
is deleted afterwards. The page is given to it as a file and may load nothing.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LONGEST_S: Final = 60.0
WIDTH: Final = 1200
HIGHEST: Final = 20_000
"""Pixels of the page; a longer one is cut."""
ANSWER_BYTES: Final = 128 * 1024 * 1024

_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
# Chromium reads its orders from descriptor 3 and answers on 4.
_ON_PIPES: Final = 'exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null'


class NoPicture(Exception):
    """The picture could not be made, as the message says."""


async def render_png(html: str, out: Path, *, timeout_s: float = LONGEST_S) -> None:
    """Draw a page to the file `out`. May be repeated. Raises NoPicture, and OSError for `out`."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        raise NoPicture(
            "a PNG needs Chromium, and there is none on PATH: install the package chromium "
            "(apt install chromium fonts-noto-cjk), or write HTML with -o menu.html"
        )
    with TemporaryDirectory(prefix="menu-preview-", ignore_cleanup_errors=True) as folder:
        page = Path(folder, "preview.html")
        await asyncio.to_thread(page.write_text, html, "utf-8")
        try:
            async with asyncio.timeout(timeout_s), _running(browser, folder) as devtools:
                picture = await _draw(devtools, page)
        except TimeoutError:
            raise NoPicture(f"{browser} did not draw the page within {timeout_s:g} s") from None
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
            raise NoPicture(
                f"{browser} ended without a picture; `{browser} --headless --dump-dom about:blank` "
                "may say why"
            ) from error
    await asyncio.to_thread(out.write_bytes, picture)


@asynccontextmanager
async def _running(browser: str, folder: str) -> AsyncIterator[_DevTools]:
    # Chromium refuses its own sandbox to root; what it draws is our own page without script.
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    profile = f"--user-data-dir={folder}/profile"
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", _ON_PIPES, "sh", browser, *_FLAGS, *as_root, profile, "about:blank"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=ANSWER_BYTES,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Cut off half-way, asyncio would end the browser and leave its helpers behind.
        await _ended(await starting)
        raise
    try:
        yield _DevTools(process)
    finally:
        await _ended(process)


async def _ended(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)  # its helpers are in its group
    await process.wait()


class _DevTools:
    """Chromium's DevTools protocol: JSON messages that end with a zero byte."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        self._orders = process.stdin
        self._answers = process.stdout
        self._last = 0
        self._session: str | None = None
        self._events: list[str] = []

    async def attach(self) -> None:
        """Open a page of our own, to which all later calls go."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        order = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            order["sessionId"] = self._session
        self._orders.write(orjson.dumps(order) + b"\0")
        await self._orders.drain()
        while True:
            message = await self._next()
            if message.get("id") == self._last:
                break
        if "error" in message:
            raise NoPicture(f"Chromium refused {method}: {message['error'].get('message')}")
        answer: dict[str, Any] = message["result"]
        return answer

    async def happened(self, event: str) -> None:
        while event not in self._events:
            await self._next()

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = orjson.loads((await self._answers.readuntil(b"\0"))[:-1])
        if "method" in message:
            self._events.append(message["method"])
        return message


async def _draw(devtools: _DevTools, page: Path) -> bytes:
    await devtools.attach()
    await devtools.call(
        "Emulation.setDeviceMetricsOverride",
        width=WIDTH,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    await devtools.call("Page.enable")
    await devtools.call("Page.navigate", url=page.as_uri())
    await devtools.happened("Page.loadEventFired")
    metrics = await devtools.call("Page.getLayoutMetrics")
    height = min(metrics["cssContentSize"]["height"], HIGHEST)
    shot = await devtools.call(
        "Page.captureScreenshot",
        format="png",
        captureBeyondViewport=True,
        clip={"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1},
    )
    return base64.b64decode(shot["data"])
