"""What a user sees, in order: the place that a phone page reads."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from tests.emulator.callbacks.conftest import Client, Push
from tests.emulator.callbacks.receivers import Receiver, sealed, text_reply, until
from tests.emulator.platforms import APPID, OPENID, classic
from tests.emulator.test_control import control
from zhongkong.emulator.callbacks.feed import Feeds
from zhongkong.emulator.world import World

FEED = f"/accounts/{APPID}/users/{OPENID}/feed"


async def test_messages_replies_and_custom_service_messages_stand_in_order(
    push: Push, receiver: Receiver, wechat: Client, world: World
) -> None:
    receiver.answers = [sealed(text_reply(OPENID, "请稍候"))]
    await push({"user": OPENID, "text": "买入"})
    token = classic(world.model, world.time.now())
    message = {"touser": OPENID, "msgtype": "text", "text": {"content": "已买入"}}
    sent = await wechat.post(
        f"/cgi-bin/message/custom/send?access_token={token}", data=orjson.dumps(message)
    )
    assert orjson.loads(await sent.read())["errcode"] == 0
    page = await control(wechat, "GET", FEED)
    assert [(each["kind"], each["type"]) for each in page["entries"]] == [
        ("sent", "text"),
        ("reply", "text"),
        ("custom", "text"),
    ]
    said = [each["content"] for each in page["entries"]]
    assert (said[0]["Content"], said[1]["content"], said[2]["content"]) == (
        "买入",
        "请稍候",
        "已买入",
    )
    assert page["entries"][0]["push"] == page["entries"][1]["push"] == "p1"
    assert page["next"] == page["entries"][-1]["seq"]


async def test_only_what_is_new_is_given_after_a_place(push: Push, wechat: Client) -> None:
    await push({"user": OPENID, "text": "1"})
    place = (await control(wechat, "GET", FEED))["next"]
    assert await control(wechat, "GET", f"{FEED}?after={place}") == {
        "entries": [],
        "next": place,
    }
    await push({"user": OPENID, "text": "2"})
    (entry,) = (await control(wechat, "GET", f"{FEED}?after={place}"))["entries"]
    assert entry["content"]["Content"] == "2"


async def test_a_reader_may_wait_for_the_next_entry(
    push: Push, wechat: Client, world: World
) -> None:
    await push({"user": OPENID, "text": "1"})
    place = (await control(wechat, "GET", FEED))["next"]
    reading = asyncio.create_task(control(wechat, "GET", f"{FEED}?after={place}&wait_s=30"))
    feeds = world.model.accounts[APPID].feeds
    await until(lambda: bool(feeds.listeners))
    await push({"user": "oSomebodyElse", "text": "2"})
    assert not reading.done()
    await push({"user": OPENID, "text": "3"})
    assert [each["content"]["Content"] for each in (await reading)["entries"]] == ["3"]
    assert not feeds.listeners


async def test_a_reset_sends_a_waiting_reader_away(
    push: Push, wechat: Client, world: World
) -> None:
    await push({"user": OPENID, "text": "1"})
    reading = asyncio.create_task(control(wechat, "GET", f"{FEED}?after=99&wait_s=60"))
    await until(lambda: bool(world.model.accounts[APPID].feeds.listeners))
    await control(wechat, "POST", "/reset")
    assert (await reading)["entries"] == []


async def test_a_wait_without_news_ends_empty(push: Push, wechat: Client) -> None:
    await push({"user": OPENID, "text": "1"})
    page = await control(wechat, "GET", f"{FEED}?after=99&wait_s=0.01")
    assert page == {"entries": [], "next": 99}


@pytest.mark.parametrize(
    ("path", "status"), [(FEED, 404), (f"{FEED}?after=x", 404), ("/accounts/wx0/users/o/feed", 404)]
)
async def test_nobody_has_no_feed(wechat: Client, path: str, status: int) -> None:
    await control(wechat, "GET", path, status=status)


async def test_a_reply_to_the_custom_service_desk_is_not_seen_as_a_bubble(
    push: Push, receiver: Receiver
) -> None:
    transfer = text_reply(OPENID).replace(
        "<![CDATA[text]]>", "<![CDATA[transfer_customer_service]]>"
    )
    receiver.answers = [sealed(transfer)]
    assert (await push({"user": OPENID, "text": "x"}))["seen"] == "nothing"


def test_the_feed_of_a_user_and_the_number_of_users_are_bounded() -> None:
    feeds = Feeds()
    for number in range(300):
        add(feeds, "oA", number)
    assert [each.content["n"] for each in feeds.after("oA", 0)][:1] == [100]
    for number in range(2_000):
        add(feeds, f"o{number}", number)
    assert feeds.after("oA", 0) == []
    assert len(feeds.by_openid) == 2_000


def add(feeds: Feeds, openid: str, number: int) -> None:
    content: dict[str, Any] = {"n": number}
    feeds.add(openid, 0.0, "sent", "text", content)
