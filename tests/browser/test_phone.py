"""What a user of the account does on the phone, and sees there."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPhone
from tests.emulator.callbacks.receivers import HANG, Receiver, Seen, fields_of, sealed, text_reply
from tests.emulator.platforms import OPENID

pytestmark = [pytest.mark.asyncio(loop_scope="package")]

BUY = {"type": "click", "name": "买入", "key": "BUY_IN"}
MORE = {
    "name": "更多",
    "sub_button": [
        {"type": "view", "name": "官网", "url": "https://shop.example/a?b=1"},
        {"type": "scancode_waitmsg", "name": "扫码下单", "key": "SCAN"},
        {"type": "pic_weixin", "name": "发照片", "key": "PICS"},
        {"type": "location_select", "name": "发位置", "key": "WHERE"},
        {"type": "click", "name": "一个很长很长的菜单名字", "key": "LONG"},
    ],
}
BANNER = "该公众号提供的服务出现故障，请稍后再试"


def told(seen: Seen) -> bytes:
    """Answers with what it understood, encrypted."""
    fields = fields_of(seen.decrypted())
    what = fields.get("EventKey") or fields.get("Content") or fields["MsgType"]
    return sealed(text_reply(fields["FromUserName"], f"收到 {what}"))


async def test_a_tap_on_a_menu_button_is_answered_with_a_bubble(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    receiver.answers = [told]
    desk = await open_phone(BUY, MORE)
    await desk.top("买入").click()
    await expect(desk.theirs.locator(".bubble")).to_have_text("收到 BUY_IN")
    fields = receiver.posts[0].fields()
    assert (fields["FromUserName"], fields["Event"]) == (OPENID, "CLICK")


async def test_a_sub_menu_opens_closes_on_escape_and_its_button_opens_a_page(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone(BUY, MORE)
    await desk.top("更多").click()
    await expect(desk.page.get_by_role("menuitem", name="一个很长很长的菜单名字")).to_have_text(
        "一个很长很长的菜…"
    )
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.get_by_role("menu")).to_have_count(0)
    await desk.top("更多").click()
    await desk.page.get_by_role("menuitem", name="官网").click()
    sheet = desk.page.get_by_role("dialog", name="网页")
    await expect(sheet.locator(".address")).to_have_text("https://shop.example/a?b=1")
    await desk.page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await expect(desk.cards).to_contain_text("VIEW https://shop.example/a?b=1")


async def test_the_menu_is_walked_with_the_keyboard_alone(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    receiver.answers = [told]
    desk = await open_phone(BUY, MORE)
    keyboard = desk.page.keyboard
    await desk.page.get_by_role("button", name="切换到键盘").focus()
    for key in ("Tab", "ArrowRight", "Enter", "ArrowUp"):
        await keyboard.press(key)
    await expect(desk.page.get_by_role("menuitem", name="一个很长很长的菜单名字")).to_be_focused()
    await keyboard.press("Escape")
    await expect(desk.top("更多")).to_be_focused()
    for key in ("Enter", "ArrowUp", "Enter"):
        await keyboard.press(key)
    await expect(desk.theirs.locator(".bubble")).to_have_text("收到 LONG")


async def test_a_new_menu_is_seen_after_entering_five_minutes_later(open_phone: OpenPhone) -> None:
    desk = await open_phone(BUY)
    await expect(desk.top("买入")).to_be_visible()
    await desk.make_menu({"type": "click", "name": "卖出", "key": "SELL"})
    await desk.enter_again()
    await expect(desk.top("买入")).to_be_visible()
    await desk.control("POST", "/clock", {"advance_s": 301})
    await desk.enter_again()
    await expect(desk.top("卖出")).to_be_visible()


async def test_an_account_that_never_answers_shows_the_notice_and_its_tries(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    receiver.answers = [HANG]
    desk = await open_phone(push_deadline_s=0.1, push_cadence_s=0.1)
    await desk.say("在吗")
    await expect(desk.page.locator(".banner")).to_have_text(BANNER)
    await expect(desk.page.locator(".deliveries")).to_have_text("投递 3 次均失败")
    await expect(desk.cards.locator(".outcome")).to_have_text("失败")
    await desk.cards.locator("summary").first.click()
    await expect(desk.page.locator(".try.bad")).to_have_count(3)


async def test_what_people_write_is_shown_as_text_and_never_run(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    receiver.answers = [lambda seen: sealed(text_reply(OPENID, f"{evil} javascript:alert(3)"))]
    desk = await open_phone({"type": "click", "name": "<b>x</b>", "key": "<i>k</i>"})
    dialogs: list[str] = []
    desk.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await expect(desk.top("<b>x</b>")).to_be_visible()
    await desk.top("<b>x</b>").click()
    await expect(desk.theirs.locator(".bubble")).to_contain_text(evil)
    await desk.say(evil)
    await expect(desk.page.locator(".line.mine .bubble")).to_have_text(evil)
    await desk.control("PATCH", f"/accounts/{desk.appid}/users/{OPENID}", {"nickname": evil})
    await desk.page.reload()
    await expect(desk.page.locator(".who")).to_contain_text("<img src=x")
    await expect(desk.cards.first).to_contain_text(evil[:30])
    assert await desk.page.locator("[onerror], .bubble img, .bubble script, .top b").count() == 0
    assert dialogs == []


async def test_scanner_album_and_places_send_what_wechat_sends(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone(BUY, MORE)

    await desk.top("更多").click()
    await desk.page.get_by_role("menuitem", name="扫码下单").click()
    await desk.page.get_by_label("扫到的内容").fill("桌号 7")
    await desk.page.get_by_role("button", name="完成扫码").click()
    await expect(desk.cards).to_have_count(1)

    await desk.top("更多").click()
    await desk.page.get_by_role("menuitem", name="发照片").click()
    await desk.page.get_by_role("button", name="hills.svg").click()
    await desk.page.get_by_role("button", name="cup.svg").click()
    await desk.page.get_by_role("button", name="发送 (2)").click()
    await expect(desk.page.locator(".picture img")).to_have_count(2)

    await desk.top("更多").click()
    await desk.page.get_by_role("menuitem", name="发位置").click()
    await desk.page.get_by_role("button", name="外滩").click()
    await expect(desk.page.locator(".place-card")).to_contain_text("中山东一路")

    await expect(desk.cards.locator(".outcome", has_text="已应答")).to_have_count(6)
    scanned, pictures, *_ = [each.fields() for each in receiver.posts]
    assert scanned["ScanCodeInfo"] == {"ScanType": "qrcode", "ScanResult": "桌号 7"}
    assert pictures["SendPicsInfo"]["Count"] == "2"
    kinds = [each.fields().get("Event") or each.fields()["MsgType"] for each in receiver.posts]
    assert kinds == [
        "scancode_waitmsg", "pic_weixin", "image", "image", "location_select", "location",
    ]  # fmt: skip


async def test_following_is_undone_and_done_again(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone()
    await desk.page.get_by_role("button", name="公众号资料").click()
    await desk.page.get_by_role("button", name="取消关注").click()
    await desk.page.get_by_role("button", name="关注公众号").click()
    await expect(desk.page.get_by_role("textbox", name="输入消息")).to_be_visible()
    await expect(desk.cards.locator(".outcome", has_text="已应答")).to_have_count(2)
    assert [each.fields()["Event"] for each in receiver.posts] == ["unsubscribe", "subscribe"]


async def test_a_user_with_a_tag_sees_the_menu_for_that_tag(open_phone: OpenPhone) -> None:
    desk = await open_phone(BUY)
    special = {"type": "click", "name": "贵宾", "key": "VIP"}
    await desk.wechat(
        "/cgi-bin/menu/addconditional", {"button": [special], "matchrule": {"tag_id": "2"}}
    )
    await desk.page.get_by_role("button", name="用户: 小明").click()
    row = desk.page.locator(".people li", has_text="小红")
    await row.get_by_role("button", name="编辑").click()
    await desk.page.get_by_label("标签").fill("2")
    await desk.page.get_by_role("button", name="保存").click()
    await expect(row).to_contain_text("#2")
    await row.get_by_role("button", name="小红").click()
    await expect(desk.top("贵宾")).to_be_visible()


async def test_messages_that_the_account_sends_appear_as_they_come(open_phone: OpenPhone) -> None:
    desk = await open_phone()
    await desk.control("POST", f"/accounts/{desk.appid}/interactions", {"openid": OPENID})
    article = {"title": "新品上市", "description": "快来看", "url": "https://shop.example/1"}
    for content in (
        {"msgtype": "text", "text": {"content": "客服在此"}},
        {"msgtype": "news", "news": {"articles": [article]}},
    ):
        await desk.wechat("/cgi-bin/message/custom/send", {"touser": OPENID, **content})
    await expect(desk.theirs.locator(".bubble")).to_have_text("客服在此")
    await expect(desk.theirs.locator(".news")).to_contain_text("新品上市")


async def test_a_button_for_material_shows_it_as_a_message_and_one_for_an_article_opens_it(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone()
    thumb = await desk.picture_material(await desk.page.locator(".phone").screenshot())
    articles = [
        {"title": title, "digest": "三分钟读完", "thumb_media_id": thumb, "content": "<p>x</p>"}
        for title in ("本周市场观察", "新手必读")
    ]
    news = (await desk.wechat("/cgi-bin/material/add_news", {"articles": articles}))["media_id"]
    await desk.make_menu(
        {"type": "media_id", "name": "海报", "media_id": thumb},
        {"type": "media_id", "name": "周报", "media_id": news},
        {"type": "view_limited", "name": "阅读", "media_id": news},
    )
    await desk.fetch_menu()
    await desk.top("海报").click()
    await expect(desk.theirs.locator(".picture img")).to_be_visible()
    await desk.top("周报").click()
    await expect(desk.theirs.locator(".article .title")).to_have_text(["本周市场观察", "新手必读"])
    await expect(desk.theirs.locator(".cover img")).to_have_count(2)
    await desk.picture("material")
    await desk.top("阅读").click()
    sheet = desk.page.get_by_role("dialog", name="图文")
    await expect(sheet).to_contain_text("本周市场观察")
    assert receiver.seen == []


async def test_another_account_has_a_chat_of_its_own(
    open_phone: OpenPhone, receiver: Receiver
) -> None:
    desk = await open_phone()
    await desk.say("给第一个")
    await expect(desk.page.locator(".line.mine")).to_have_count(1)
    await desk.page.get_by_role("button", name="返回").click()
    await desk.page.locator(".chat-row", has_text="gh_another00001").click()
    await expect(desk.page.locator(".chat-head")).to_contain_text("gh_another00001")
    await expect(desk.page.locator(".line.mine")).to_have_count(0)
    await expect(desk.page.locator(".side")).to_contain_text("还没有配置回调地址")
