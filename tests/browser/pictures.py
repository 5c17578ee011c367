"""The pictures of the READMEs: a real local world is used for a while and photographed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.async_api import expect

from tests.browser.stage import Stage
from tests.browser.tabs import Tabs
from tests.browser.views import Look, PhoneView, chromium
from tests.local_world.worlds import World, free_base, is_free
from zhongkong.local_world import names, plan

DESK = Look(locale="en-GB", size=(1280, 850), scale=1.5)
HAND = Look(locale="en-GB", size=(390, 760), scale=1.5)
PAGE = Look(locale="en-GB", size=(1080, 850), scale=1.5)
PHONES = replace(PAGE, size=(880, 850))


def take_all(folder: Path, program: str) -> dict[str, int]:
    """Write them into `folder`, over those that are there; their sizes in bytes by name.

    `program` is the path of a Chromium. Blocks for half a minute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _world() as world:
        asyncio.run(_take(world, program, folder))
    return {each.name: each.stat().st_size for each in sorted(folder.glob("*.png"))}


@contextmanager
def _world() -> Iterator[World]:
    """On the usual ports where they are free: addresses are seen on the pictures."""
    home = Path(tempfile.gettempdir()) / "zhongkong"
    home.mkdir()
    usual = all(is_free(port) for port in plan.ports(plan.DEFAULT_BASE).values())
    try:
        world = World(home, plan.DEFAULT_BASE if usual else free_base())
        try:
            yield world.wait_until_ready()
        finally:
            world.child.terminate()
    finally:
        shutil.rmtree(home)


async def _take(world: World, program: str, folder: Path) -> None:
    async with chromium(program) as browser:
        stage = Stage(world, Tabs(browser))
        await _chat(stage)
        for look, name in ((DESK, "hero"), (replace(DESK, locale="zh-CN"), "hero.zh-CN")):
            async with stage.phone(look) as phone:
                await _unfold_newest(phone)
                await phone.save(folder / f"{name}.png")
        async with stage.phone(HAND) as phone:
            await phone.top("查收益").click()
            await phone.save(folder / "phone.png")
        async with stage.page("token service, internal", look=_tall(1120)) as view:
            await view.save(folder / "token-service.png")
        async with stage.page("callback gateway, internal", look=_tall(1090)) as view:
            await view.save(folder / "callback-gateway.png")
        await _menu(stage, folder)


def _tall(height: int) -> Look:
    """As much of a service's page as tells something."""
    return replace(PAGE, size=(PAGE.size[0], height))


async def _chat(stage: Stage) -> None:
    """Something to see on all of them."""
    async with stage.phone(replace(DESK, locale="zh-CN")) as phone:
        said = phone.theirs.locator(".bubble")
        await phone.top("买入").click()
        await expect(said).to_have_count(1)
        await phone.say("help")
        await expect(said).to_have_count(2)
        await phone.say("持仓")
        await expect(said).to_have_count(3)
    await stage.proxied("/cgi-bin/get_current_selfmenu_info")


async def _unfold_newest(phone: PhoneView) -> None:
    await expect(phone.cards).to_have_count(3)
    await phone.cards.first.locator("summary").first.click()
    await phone.cards.first.locator("[data-part=plain] summary").click()


async def _menu(stage: Stage, folder: Path) -> None:
    """The page, and the phones while a change waits for the worker, which is paused for it."""
    async with stage.page("menu worker, internal", look=_tall(840)) as view:
        await view.save(folder / "menu-worker.png")
        await view.page.get_by_role("button", name="Pause").click()
        await expect(view.page.get_by_role("button", name="Resume")).to_be_visible()
    path = f"/menus/{names.ACCOUNT}/phones"
    with stage.menu_with(
        "{type: click, name: 卖出, key: SELL_OUT}", "{type: click, name: 赎回, key: REDEEM}"
    ):
        async with stage.page("menu worker, internal", look=PAGE) as view:
            await view.page.get_by_text("Differs").wait_for()
        async with stage.page("menu worker, internal", path, PHONES) as view:
            await view.page.locator("section").first.screenshot(path=folder / "menu-phones.png")
