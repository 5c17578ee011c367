"""What a developer does with the local world in the first minutes, told in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.stage import Stage
from tests.browser.tabs import Tabs
from tests.browser.views import Look, PhoneView, View
from tests.local_world.worlds import World, free_base, until
from zhongkong.local_world import names

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.slow,
    pytest.mark.usefixtures("slow_handler"),
]

FIRST = "oAJie00000000000000000000004"
SAMPLE = ["买入", "卖出", "查收益"]
WIDE = Look(size=(1360, 860))
WITHIN_MS = 60_000
REMARKS = """() => {
  window.remarks = [];
  new MutationObserver(() => {
    const remark = [...document.querySelectorAll(".deliveries")].at(-1)?.textContent;
    if (remark) window.remarks.push(remark);
  }).observe(document.querySelector(".log"), { childList: true, subtree: true });
}"""
"""Writes down what stands below the last message, as it changes."""


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def stage(tabs: Tabs, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    world = World(tmp_path_factory.mktemp("story"), free_base())
    try:
        await asyncio.to_thread(world.wait_until_ready)
        yield Stage(world, tabs)
    finally:
        world.child.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def slow_handler(stage: Stage, screenshots: Path) -> AsyncIterator[PhoneView]:
    """The phone of one who was the first to write, while the handler took 12 s.

    For all others it is fast again: the story goes on meanwhile.
    """
    await stage.control("POST", "{account}/users", {"openid": FIRST, "nickname": "阿杰"})
    async with stage.phone(WIDE) as phone:
        await phone.be("阿杰")
        await phone.page.evaluate(REMARKS)
        await phone.page.get_by_role("tab", name="工具").click()
        switch = phone.page.get_by_role("group", name="消息处理程序")
        await switch.get_by_role("button", name="12 秒").click()
        await expect(switch.get_by_role("button", name="12 秒", pressed=True)).to_be_visible()
        await phone.save(screenshots / "story-01-slow-handler.png")
        await phone.page.get_by_role("tab", name="线路").click()
        await phone.say("买入")
        # The handler tells of each event, and by then knows when to answer this one.
        await asyncio.to_thread(stage.world.line, " wechat.message.text")
        await stage.control("PUT", "{account}/handler-delay", {"delay_s": 0})
        yield phone


@pytest_asyncio.fixture(loop_scope="package")
async def phone(stage: Stage) -> AsyncIterator[PhoneView]:
    async with long_after(stage) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def after_the_console(stage: Stage, screenshots: Path) -> AsyncIterator[PhoneView]:
    """A phone, where somebody has made another menu in the console."""
    async with long_after(stage) as phone:
        # The worker's next look of its own accord is so many seconds away.
        await stage.reconcile()
        await phone.page.get_by_role("tab", name="工具").click()
        tool = phone.page.locator(".tool", has_text="后台菜单")
        await tool.get_by_role("button", name="编辑…").click()
        dialog = phone.page.get_by_role("dialog", name="后台菜单")
        await dialog.get_by_label("名称").first.fill("营业时间")
        await phone.save(screenshots / "story-08-console.png")
        await dialog.get_by_role("button", name="发布").click()
        yield phone


@asynccontextmanager
async def long_after(stage: Stage) -> AsyncIterator[PhoneView]:
    """The phone of a user who comes into the chat long after the last time."""
    await stage.control("GET", f"{{account}}/users/{names.USER}/menu?enter=true&later=true")
    async with stage.phone(WIDE) as phone:
        yield phone


async def test_the_phone_opens_with_the_sample_menu(phone: PhoneView, screenshots: Path) -> None:
    await expect(phone.page.locator(".top")).to_have_text(SAMPLE)
    await phone.save(screenshots / "story-02-phone.png")


async def test_a_tap_is_answered_by_the_bot(phone: PhoneView, screenshots: Path) -> None:
    await phone.top("买入").click()
    await expect(phone.theirs.locator(".bubble")).to_contain_text("已买入 1 手")
    await phone.say("持仓")
    await expect(phone.theirs.last.locator(".bubble")).to_contain_text("您持有")
    for newest in range(2):
        await expect(phone.cards.nth(newest).locator(".outcome")).to_have_text("已应答")
    await phone.save(screenshots / "story-03-tap.png")


async def test_a_sub_menu_shows_its_entries(phone: PhoneView, screenshots: Path) -> None:
    await phone.top("查收益").click()
    await expect(phone.page.get_by_role("menuitem")).to_have_text(["我的持仓", "昨日收益"])
    await phone.save(screenshots / "story-04-sub-menu.png")
    await phone.below("昨日收益").click()
    await expect(phone.page.locator(".address")).to_have_text("http://www.soso.com/")


async def test_a_user_with_a_tag_has_another_menu(phone: PhoneView, screenshots: Path) -> None:
    await phone.be("小红")
    await phone.top("会员").click()
    await expect(phone.page.get_by_role("menuitem")).to_have_text(
        ["会员优惠", "我的持仓", "昨日收益"]
    )
    await phone.save(screenshots / "story-05-member.png")
    await phone.below("会员优惠").click()
    await expect(phone.theirs.locator(".bubble")).to_have_text("会员专享：今日免手续费")


async def test_the_death_of_a_token_breaks_nothing(
    stage: Stage, phone: PhoneView, screenshots: Path
) -> None:
    await phone.page.get_by_role("tab", name="工具").click()
    await phone.page.get_by_role("button", name="作废稳定版令牌").click()
    await expect(phone.page.get_by_text("已作废 1 个令牌")).to_be_visible()
    await phone.save(screenshots / "story-06-token-killed.png")
    live = await stage.proxied("/cgi-bin/get_current_selfmenu_info")
    assert live["is_menu_open"] == 1
    planned = await asyncio.to_thread(stage.menu_plan)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    await phone.top("买入").click()
    await expect(phone.theirs.last.locator(".bubble")).to_contain_text("已买入")


async def test_a_change_of_the_menu_file_comes_to_the_phone(
    stage: Stage, phone: PhoneView, screenshots: Path
) -> None:
    with stage.menu_with("name: 卖出", "name: 赎回"):
        await asyncio.to_thread(until, lambda: "赎回" in stage.live_menu(), "the menu was live")
        await phone.fetch_menu()
        await expect(phone.top("赎回")).to_be_visible()
        await phone.save(screenshots / "story-07-edited-menu.png")
    await stage.reconcile()


async def test_a_menu_edited_in_the_console_comes_to_the_phone(
    after_the_console: PhoneView, screenshots: Path
) -> None:
    await after_the_console.fetch_menu()
    await expect(after_the_console.top("营业时间")).to_be_visible()
    await after_the_console.save(screenshots / "story-09-console-menu.png")


@pytest.mark.usefixtures("after_the_console")
async def test_a_menu_edited_in_the_console_is_put_right_meanwhile(
    stage: Stage, screenshots: Path
) -> None:
    async with stage.page("menu worker, internal", look=WIDE) as view:
        await view.page.get_by_role("button", name="立即检查").click()
        await expect(view.page.get_by_text(f"{names.ACCOUNT}：")).to_be_visible()
        await view.save(screenshots / "story-10-looked-at.png")
    await asyncio.to_thread(until, lambda: stage.live_menu() == SAMPLE, "the menu was put right")
    async with long_after(stage) as phone:
        await expect(phone.page.locator(".top")).to_have_text(SAMPLE)
        await phone.save(screenshots / "story-11-put-right.png")


async def test_the_token_services_page_tells_of_the_token_and_its_clients(
    stage: Stage, screenshots: Path
) -> None:
    async with stage.page("token service, internal", look=WIDE) as view:
        card = view.page.locator("#tokens-title + .cards article")
        await expect(card.get_by_role("heading", level=3)).to_have_text(names.ACCOUNT)
        await expect(card).to_contain_text("有效")
        await expect(card).to_contain_text(names.APPID)
        await expect(card.get_by_role("meter")).to_have_count(3)
        await expect(view.page.locator("#client-orders")).to_contain_text("/cgi-bin/**")
        await expect(view.page.locator("#client-menus")).to_contain_text("/cgi-bin/menu/*")
        await view.save(screenshots / "story-12-token-service.png", whole=True)
        await fits_a_phone(view, screenshots / "story-12-token-service-small.png")


async def test_the_callback_gateways_page_tells_of_answers_and_its_target(
    stage: Stage, phone: PhoneView, screenshots: Path
) -> None:
    await phone.top("买入").click()
    await expect(phone.theirs.last.locator(".bubble")).to_contain_text("已买入")
    async with stage.page("callback gateway, internal", look=WIDE) as view:
        card = view.page.locator(f"#account-{names.ACCOUNT}")
        await expect(card.locator(".counts li", has_text="目标已回复")).to_be_visible()
        await expect(view.page.locator("#target-trading")).to_contain_text("启用")
        await expect(view.page.get_by_text("没有死信")).to_be_visible()
        await view.save(screenshots / "story-13-callback-gateway.png", whole=True)
        await fits_a_phone(view, screenshots / "story-13-callback-gateway-small.png")


async def test_the_menu_workers_page_leads_to_phones_side_by_side(
    stage: Stage, screenshots: Path
) -> None:
    async with stage.page("menu worker, internal", look=WIDE) as view:
        card = view.page.locator(f"#menu-{names.ACCOUNT}")
        await expect(card).to_contain_text("一致")
        await expect(card).to_contain_text("/cgi-bin/menu/create")
        await view.save(screenshots / "story-14-menu-worker.png", whole=True)
        await stage.require_no_secret(view)
        await card.get_by_role("link", name="手机预览").click()
        phones = view.page.locator(".pair").first.locator(".phone")
        await expect(phones).to_have_count(2)
        live, desired = await phones.all_inner_texts()
        assert live == desired
        await view.save(screenshots / "story-15-phones.png", whole=True)
        await stage.require_no_secret(view)
        await view.page.go_back()
        await card.get_by_role("link", name=names.ACCOUNT).click()
        await expect(view.page.locator("tbody tr").first).to_contain_text("已验证")
        await view.save(screenshots / "story-16-menu.png", whole=True)
        await fits_a_phone(view, screenshots / "story-16-menu-small.png")


async def test_a_slow_handlers_answer_arrives_with_the_third_try(
    slow_handler: PhoneView, screenshots: Path
) -> None:
    tries = slow_handler.page.locator(".deliveries").last
    await expect(tries).to_have_text("投递 3 次", timeout=WITHIN_MS)
    await expect(slow_handler.theirs.locator(".bubble")).to_contain_text("已买入 1 手")
    assert "第 2 次投递中…" in await slow_handler.page.evaluate("window.remarks")
    await slow_handler.cards.last.locator("summary").first.click()
    await slow_handler.save(screenshots / "story-17-third-try.png")


async def fits_a_phone(view: View, picture: Path) -> None:
    """The same page in English, in the dark, in somebody's hand: nothing hangs over the edge."""
    await view.page.set_viewport_size({"width": 390, "height": 844})
    await view.page.emulate_media(color_scheme="dark")
    await view.page.goto(f"{view.page.url}?lang=en")
    assert await view.page.evaluate("document.documentElement.scrollWidth") == 390
    await view.save(picture, whole=True)
