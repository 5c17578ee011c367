"""What a developer sees beside the phone, and bends there."""

from __future__ import annotations

import orjson
import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPhone
from tests.browser.test_phone import BUY, MORE, told
from tests.emulator.callbacks.receivers import HANG, KEY, TOKEN, Receiver
from tests.emulator.platforms import OPENID

pytestmark = [pytest.mark.asyncio(loop_scope="package")]


async def test_a_callback_unfolds_to_its_bodies_and_signatures_without_secrets(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    receiver.answers = [told]
    desk = await open_phone()
    await desk.say("买入")
    await expect(desk.cards.locator(".outcome")).to_have_text("已应答")
    await desk.cards.locator("summary").first.click()
    for name in ("plain", "sent", "opened", "answer"):
        await desk.page.locator(f"[data-part={name}] summary").click()
    await expect(desk.page.locator("[data-part=plain] pre")).to_contain_text("<![CDATA[买入]]>")
    await expect(desk.page.locator("[data-part=sent]")).to_contain_text("签名正确")
    await expect(desk.page.locator("[data-part=sent] pre").last).to_contain_text("<Encrypt>")
    await expect(desk.page.locator("[data-part=opened] pre")).to_contain_text("收到 买入")
    await expect(desk.page.locator("[data-part=answer]")).to_contain_text("签名正确")
    shown = await desk.page.content()
    assert KEY not in shown
    assert TOKEN not in shown


async def test_an_attack_is_chosen_for_one_push_and_shown_as_refused(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    receiver.answers = [(403, b""), b"success"]
    desk = await open_phone()
    await desk.page.get_by_role("tab", name="工具").click()
    await desk.page.get_by_label("攻击").select_option("wrong_token")
    await desk.page.get_by_role("tab", name="线路").click()
    await expect(desk.page.get_by_text("推送异常已开启")).to_be_visible()
    await desk.say("forged")
    await expect(desk.cards.first).to_contain_text("用别的 Token 签名")
    await desk.cards.locator("summary").first.click()
    await expect(desk.page.locator("[data-part=sent] summary").first).to_contain_text("签名错误")
    await expect(desk.page.get_by_text("推送异常已开启")).to_have_count(0)
    await desk.say("genuine")
    await expect(desk.cards.first.locator(".outcome")).to_have_text("已应答")


async def test_a_short_deadline_and_duplicates_are_switched_on(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone()
    await desk.page.get_by_role("tab", name="工具").click()
    await desk.page.get_by_label("重复次数").fill("1")
    await desk.page.get_by_label("重复次数").press("Enter")
    await desk.page.get_by_role("tab", name="线路").click()
    await desk.say("twice")
    await expect(desk.cards.first).to_contain_text("2 次投递")
    assert len(receiver.posts) == 2


async def test_a_menu_is_published_in_the_console_and_the_hint_brings_it_to_the_phone(
    open_phone: OpenPhone,
) -> None:
    desk = await open_phone(BUY)
    await expect(desk.top("买入")).to_be_visible()
    await desk.page.get_by_role("tab", name="工具").click()
    await desk.page.get_by_role("button", name="编辑…").first.click()
    dialog = desk.page.get_by_role("dialog", name="后台菜单")
    await dialog.get_by_label("名称").fill("营业时间")
    await dialog.get_by_label("内容").fill("9:00 - 18:00")
    await dialog.get_by_role("button", name="发布").click()
    await desk.page.get_by_role("button", name="视作 5 分钟后重新进入").click()
    await desk.top("营业时间").click()
    await expect(desk.theirs.locator(".bubble")).to_have_text("9:00 - 18:00")


async def test_tokens_are_killed_and_the_clock_is_moved(open_phone: OpenPhone) -> None:
    desk = await open_phone()
    await desk.make_menu(BUY)
    await desk.page.get_by_role("tab", name="工具").click()
    await desk.page.get_by_role("button", name="作废普通令牌").click()
    await expect(desk.page.get_by_text("已作废 1 个令牌")).to_be_visible()
    await desk.page.get_by_role("button", name="+2 h").click()
    await expect(desk.page.get_by_text("与本机相差 +2 h")).to_be_visible()
    assert desk.world.time.offset_s == 7200


async def test_the_handler_is_made_slow_with_the_keyboard_and_the_switch_shows_it(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone(locale="en-GB", slow_handler=True)
    await desk.page.get_by_role("tab", name="Tools").click()
    switch = desk.page.get_by_role("group", name="The account's handler")
    await expect(switch.get_by_role("button", name="Normal", pressed=True)).to_be_visible()
    await switch.get_by_role("button", name="12 s").focus()
    await desk.page.keyboard.press("Enter")
    await expect(switch.get_by_role("button", name="12 s", pressed=True)).to_be_focused()
    assert [(each.method, orjson.loads(each.body)) for each in receiver.seen] == [
        ("PUT", {"delay_s": 12})
    ]
    await desk.control("PUT", f"/accounts/{desk.appid}/handler-delay", {"delay_s": 3})
    await desk.look_again()
    await expect(switch.get_by_role("button", name="3 s", pressed=True)).to_be_visible()
    await desk.picture("tools-slow-handler")


async def test_a_handler_that_does_not_take_the_delay_is_told_of(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    receiver.answers = [(500, b"")]
    desk = await open_phone(slow_handler=True)
    await desk.page.get_by_role("tab", name="工具").click()
    switch = desk.page.get_by_role("group", name="消息处理程序")
    await switch.get_by_role("button", name="7 秒").click()
    await expect(desk.page.locator(".toast.bad")).to_contain_text("500")
    await expect(switch.get_by_role("button", name="正常", pressed=True)).to_be_visible()


async def test_without_a_handler_that_takes_delays_there_is_no_switch_for_it(
    open_phone: OpenPhone,
) -> None:
    desk = await open_phone()
    await desk.page.get_by_role("tab", name="工具").click()
    await expect(desk.page.get_by_role("heading", name="接口故障")).to_be_visible()
    await expect(desk.page.get_by_text("消息处理程序")).to_have_count(0)


async def test_a_reset_begins_the_page_anew(open_phone: OpenPhone) -> None:
    desk = await open_phone()
    await desk.say("before")
    await expect(desk.cards).to_have_count(1)
    await desk.control("POST", "/reset", {})
    await expect(desk.cards).to_have_count(0)
    await expect(desk.page.locator(".line.mine")).to_have_count(0)
    await desk.say("after")
    await expect(desk.page.locator(".line.mine .bubble")).to_have_text("after")


async def test_the_language_is_the_browsers_is_switched_and_remembered(
    open_phone: OpenPhone,
) -> None:
    desk = await open_phone(locale="en-US")
    await expect(desk.page.get_by_role("tab", name="Wire")).to_be_visible()
    await desk.page.get_by_role("button", name="Switch to Chinese").click()
    await expect(desk.page.get_by_role("tab", name="线路")).to_be_visible()
    await desk.page.reload()
    await expect(desk.page.get_by_role("tab", name="线路")).to_be_visible()
    assert await desk.page.locator("html").get_attribute("lang") == "zh-CN"


async def test_on_a_small_screen_phone_wire_and_tools_are_three_views(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone(size=(390, 844))
    await desk.say("小屏幕")
    await expect(desk.page.locator(".side")).to_be_hidden()
    await desk.page.get_by_role("button", name="线路").click()
    await expect(desk.cards).to_contain_text("小屏幕")
    await expect(desk.log).to_be_hidden()
    width = await desk.page.evaluate("document.documentElement.scrollWidth")
    assert width == 390


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "dark"),
    [
        pytest.param("laptop", (1360, 860), False, id="a laptop, light, Chinese"),
        pytest.param("small", (390, 844), True, id="a phone, dark, English"),
    ],
)
async def test_the_page_is_pictured(
    open_phone: OpenPhone, receiver: Receiver, name: str, size: tuple[int, int], dark: bool
) -> None:
    receiver.answers = [told, told, HANG]
    locale = "en-GB" if dark else "zh-CN"
    desk = await open_phone(
        BUY,
        {"type": "view", "name": "行情", "url": "https://shop.example/"},
        MORE,
        size=size,
        dark=dark,
        locale=locale,
    )
    shade = "dark" if dark else "light"
    await desk.control("POST", f"/accounts/{desk.appid}/interactions", {"openid": OPENID})
    await desk.top("买入").click()
    await expect(desk.theirs).to_have_count(1)
    await desk.control(
        "POST", f"/accounts/{desk.appid}/pushes?wait_s=20", {"user": OPENID, "text": "今天能买吗？"}
    )
    article = {
        "title": "本周市场观察：稳中有进",
        "url": "https://shop.example/1",
        "description": "三分钟读完",
    }
    await desk.wechat(
        "/cgi-bin/message/custom/send",
        {"touser": OPENID, "msgtype": "news", "news": {"articles": [article]}},
    )
    await desk.control("PATCH", "/parameters", {"push_deadline_s": 0.2, "push_cadence_s": 0.2})
    await desk.top("买入").click()
    await expect(desk.page.locator(".banner")).to_be_visible()
    await desk.top("更多").click()
    await desk.picture(f"{name}-{shade}-chat")
    await desk.page.keyboard.press("Escape")
    if name == "small":
        await desk.page.locator(".view-wire").click()
    await desk.cards.locator("summary").first.click()
    await desk.picture(f"{name}-{shade}-wire")
    await desk.page.locator(".view-tools" if name == "small" else "[role=tab]").last.click()
    await desk.picture(f"{name}-{shade}-tools")
    assert sorted(each.name for each in desk.screenshots.glob(f"{name}-{shade}-*.png")) == [
        f"{name}-{shade}-{view}.png" for view in ("chat", "tools", "wire")
    ]
