"""The sample handler by itself, called as the gateway calls it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import sys
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient
from standardwebhooks import Webhook

from callback_gateway.webhook_signature import SigningSecret
from zhongkong.local_world import trading_bot
from zhongkong.local_world.trading_bot import HELP, WELCOME, Bot
from zhongkong.runtime.clock import SystemClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def bot() -> Bot:
    return Bot(Webhook(SECRET))


@pytest.fixture
async def client(bot: Bot, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(trading_bot.app_of(bot))


def said(content: str, *, event_id: str = "msg_1", user: str = "oXiaoMing") -> dict[str, Any]:
    return event("wechat.message.text", {"content": content}, event_id, user)


def tapped(key: str, *, event_id: str = "evt_1", user: str = "oXiaoMing") -> dict[str, Any]:
    return event("wechat.event.click", {"event_key": key}, event_id, user)


def event(kind: str, data: dict[str, Any], event_id: str, user: str) -> dict[str, Any]:
    return {"id": event_id, "type": kind, "subject": user, "data": data}


async def deliver(client: Client, document: dict[str, Any]) -> ClientResponse:
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = SigningSecret.parse(SECRET).headers(document["id"], int(SystemClock().now()), body)
    return await client.post("/wechat", data=body, headers=headers)


async def answer(client: Client, document: dict[str, Any]) -> str:
    response = await deliver(client, document)
    assert response.status == 200
    reply = (await response.json())["reply"]
    assert reply["type"] == "text"
    return str(reply["content"])


async def test_who_buys_holds_a_lot_more(client: Client) -> None:
    assert "已买入 1 手" in await answer(client, tapped("BUY_IN", event_id="evt_1"))
    assert "现持有 2 手" in await answer(client, said("买入", event_id="msg_2"))
    assert "现持有 1 手" in await answer(client, tapped("SELL_OUT", event_id="evt_3"))
    assert "您持有 1 手" in await answer(client, tapped("HOLDINGS", event_id="evt_4"))


async def test_the_price_moves(client: Client) -> None:
    first = await answer(client, said("持仓", event_id="msg_1"))
    assert first != await answer(client, said("持仓", event_id="msg_2"))


async def test_users_hold_what_they_bought_themselves(client: Client) -> None:
    await answer(client, said("buy", event_id="msg_1", user="oXiaoMing"))
    assert "您持有 0 手" in await answer(client, said("hold", event_id="msg_2", user="oXiaoHong"))


async def test_nothing_is_sold_that_nobody_has(client: Client) -> None:
    assert "没有持仓" in await answer(client, said(" SELL ", event_id="msg_1"))
    assert "您持有 0 手" in await answer(client, said("持仓", event_id="msg_2"))


async def test_any_other_text_is_told_what_would_work(client: Client) -> None:
    assert await answer(client, said("你好")) == HELP


async def test_a_new_follower_is_welcome(client: Client) -> None:
    followed = event("wechat.event.subscribe", {}, "evt_1", "oXiaoMing")
    assert await answer(client, followed) == WELCOME


async def test_other_events_get_no_reply(client: Client) -> None:
    response = await deliver(client, event("wechat.event.view", {}, "evt_1", "oXiaoMing"))
    assert (response.status, await response.json()) == (200, {})


async def test_an_event_that_comes_twice_is_one_purchase_and_one_answer(client: Client) -> None:
    first = await answer(client, tapped("BUY_IN", event_id="evt_1"))
    assert await answer(client, tapped("BUY_IN", event_id="evt_1")) == first
    assert "现持有 2 手" in await answer(client, tapped("BUY_IN", event_id="evt_2"))


async def test_an_event_that_comes_again_while_its_answer_waits_is_one_purchase(
    client: Client,
) -> None:
    await client.put("/delay", json={"delay_s": 0.05})
    twins = [answer(client, tapped("BUY_IN", event_id="evt_1")) for _ in range(3)]
    assert len(set(await asyncio.gather(*twins))) == 1
    assert "现持有 2 手" in await answer(client, tapped("BUY_IN", event_id="evt_2"))


async def test_only_the_newest_events_and_users_are_remembered(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trading_bot, "REMEMBERED", 3)
    for number in range(10):
        bot.answer(said("买入", event_id=f"msg_{number}", user=f"o{number}"))
    assert list(bot.answers) == ["msg_7", "msg_8", "msg_9"]
    assert list(bot.lots) == ["o7", "o8", "o9"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "no comma"},
        {"webhook-signature": "v1,no base64!"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": "another"},
    ],
)
async def test_what_the_gateway_did_not_sign_is_refused_and_not_done(
    bot: Bot, client: Client, headers: dict[str, str]
) -> None:
    body = json.dumps(tapped("BUY_IN")).encode()
    signed = SigningSecret.parse(SECRET).headers("evt_1", int(SystemClock().now()), body)
    sent = signed | headers if headers else {}

    response = await client.post("/wechat", data=body, headers=sent)

    assert response.status == 401
    assert bot.answers == {}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{}", b""])
async def test_an_altered_body_is_refused(client: Client, body: bytes) -> None:
    headers = SigningSecret.parse(SECRET).headers("evt_1", int(SystemClock().now()), b"other")
    response = await client.post("/wechat", data=body, headers=headers)
    assert response.status == 401


@pytest.mark.parametrize("delay_s", [0, 0.5, 60])
async def test_a_delay_is_taken(bot: Bot, client: Client, delay_s: float) -> None:
    response = await client.put("/delay", json={"delay_s": delay_s})
    assert response.status == 204
    assert bot.delay_s == delay_s


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"8",
        b"[8]",
        b"{}",
        b"\xff",
        b'{"delay_s": -1}',
        b'{"delay_s": 61}',
        b'{"delay_s": NaN}',
        b'{"delay_s": true}',
        b'{"delay_s": "8"}',
        b'{"delay_s": null}',
        b"[" * 100_000,
    ],
)
async def test_any_other_delay_is_refused_and_the_old_one_stays(
    bot: Bot, client: Client, body: bytes
) -> None:
    bot.delay_s = 3.0
    response = await client.put("/delay", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 400
    assert bot.delay_s == 3.0


async def test_it_is_alive(client: Client) -> None:
    assert (await client.get("/healthz")).status == 200


def test_it_can_be_copied_out_of_here() -> None:
    """It imports nothing of ours, and no more of others' than it says."""
    tree = ast.parse(inspect.getsource(trading_bot))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {
        each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names
    }
    others = {str(name).partition(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {"aiohttp", "standardwebhooks"}
