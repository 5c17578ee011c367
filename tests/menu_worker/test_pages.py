from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.menu_worker.fleets import BUY, SECRET, SELL
from tests.menu_worker.served import ADMIN, KEY, Shop, open_shop
from tests.runtime.pages_world import Browser


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, "shop") as it:
        it.desire("shop", BUY)
        async with it.worker():
            await it.ask("POST", "/v1/reconcile")
            yield it


@pytest.fixture
async def browser(shop: Shop) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        it = Browser(session, shop.internal_port)
        await it.log_in(ADMIN)
        yield it


async def test_the_history_is_on_the_account_s_page(browser: Browser) -> None:
    page = await browser.get("/menus/shop")

    assert page.status == 200
    assert '<th scope="row">1</th>' in page.text
    assert (await browser.get("/menus/nobody")).status == 404


async def test_desired_and_live_stand_side_by_side_with_what_differs(
    shop: Shop, browser: Browser
) -> None:
    csrf = (await browser.get()).csrf
    await browser.post("/forms/pause", {"csrf": csrf, "account": "shop"})
    shop.desire("shop", SELL)
    await browser.post("/forms/reconcile", {"csrf": csrf, "account": "shop"})
    phones = await browser.get("/menus/shop/phones")

    assert ("买入" in phones.text, "卖出" in phones.text) == (True, True)
    policy = phones.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "style-src 'sha256-" in policy


async def test_an_account_is_paused_reconciled_and_resumed(shop: Shop, browser: Browser) -> None:
    csrf = (await browser.get()).csrf
    for form in ("pause", "reconcile"):
        await browser.post(f"/forms/{form}", {"csrf": csrf, "account": "shop"})
    assert "Paused by admin" in (await browser.get()).text
    await browser.post("/forms/resume", {"csrf": csrf, "account": "shop"})
    await browser.post("/forms/reconcile", {"csrf": csrf, "account": "shop"})

    text = (await browser.get()).text
    assert "shop: the live menu is the desired one" in text
    assert "Paused by" not in text


async def test_the_pages_hold_no_secret(browser: Browser) -> None:
    paths = ("/", "/?lang=zh", "/fragment", "/menus/shop", "/menus/shop/phones", "/login")
    pages = [await browser.get(path) for path in paths]
    text = "".join(page.text + json.dumps(dict(page.headers)) for page in pages)

    digests = [hashlib.sha256(key.encode()).hexdigest() for key in (ADMIN, KEY)]
    assert [secret for secret in (ADMIN, KEY, SECRET, *digests) if secret in text] == []
    assert "shop" in text
