"""The control calls about users: who there is, what they do, what reached them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient

from tests.emulator.platforms import APPID, NOW, OPENID, SECRET, classic
from tests.emulator.test_control import control
from zhongkong.emulator.world import World

Client = TestClient[Any, Any]
USERS = f"/accounts/{APPID}/users"


@pytest.fixture
async def added(wechat: Client) -> dict[str, Any]:
    return await control(wechat, "POST", USERS, {"openid": OPENID, "tags": [2]})


async def test_users_are_added_listed_and_changed(wechat: Client, added: dict[str, Any]) -> None:
    assert (added["openid"], added["following"], added["credit"]) == (OPENID, True, None)
    changed = await control(
        wechat, "PATCH", f"{USERS}/{OPENID}", {"tags": [2, 9], "phone": "android"}
    )
    assert (changed["tags"], changed["phone"]) == ([2, 9], "android")
    assert (await control(wechat, "GET", USERS))["users"] == [changed]


async def test_bad_users_are_refused_with_what_is_wrong(
    wechat: Client, added: dict[str, Any]
) -> None:
    again = await control(wechat, "POST", USERS, {"openid": OPENID}, status=400)
    assert "there already" in again["detail"]
    bad = await control(wechat, "PATCH", f"{USERS}/{OPENID}", {"phone": "nokia"}, status=400)
    assert "phone" in bad["detail"]
    gone = await control(wechat, "PATCH", f"{USERS}/nobody", {}, status=404)
    assert "nobody" in gone["detail"]
    await control(wechat, "GET", "/accounts/wx0/users", status=404)


async def test_an_openid_never_changes(wechat: Client, added: dict[str, Any]) -> None:
    changed = await control(wechat, "PATCH", f"{USERS}/{OPENID}", {"openid": "other"})
    assert changed["openid"] == OPENID


async def test_an_interaction_gives_credit_and_messages_can_be_read(
    wechat: Client, added: dict[str, Any], world: World
) -> None:
    done = {"openid": OPENID, "kind": "menu_tap"}
    met = await control(wechat, "POST", f"/accounts/{APPID}/interactions", done)
    assert met["credit"] == {"left": 3, "until": NOW + 60}
    body = {"touser": OPENID, "msgtype": "text", "text": {"content": "好"}}
    token = classic(world.model)
    sent = await wechat.post(
        f"/cgi-bin/message/custom/send?access_token={token}", data=orjson.dumps(body)
    )
    assert (await sent.json(content_type=None))["errcode"] == 0
    (seen,) = (await control(wechat, "GET", f"/accounts/{APPID}/messages"))["messages"]
    assert (seen["openid"], seen["content"]) == (OPENID, {"content": "好"})
    others = await control(wechat, "GET", f"/accounts/{APPID}/messages?openid=o2")
    assert others["messages"] == []


async def test_a_login_code_is_made_and_works(wechat: Client, added: dict[str, Any]) -> None:
    made = await control(wechat, "POST", f"/accounts/{APPID}/login-codes", {"openid": OPENID})
    query = f"appid={APPID}&secret={SECRET}&grant_type=authorization_code&code={made['code']}"
    given = await (await wechat.get(f"/sns/oauth2/access_token?{query}")).json(content_type=None)
    assert given["openid"] == OPENID


@pytest.mark.parametrize("call", ["interactions", "login-codes"])
async def test_only_known_users_do_anything(wechat: Client, call: str) -> None:
    refused = await control(
        wechat, "POST", f"/accounts/{APPID}/{call}", {"openid": "nobody"}, status=404
    )
    assert "POST" in refused["detail"]


async def test_effects_stand_in_the_ledger_and_its_totals(wechat: Client, world: World) -> None:
    token = classic(world.model)
    menu = b'{"button":[{"type":"click","name":"a","key":"A"}]}'
    await wechat.post(f"/cgi-bin/menu/create?access_token={token}", data=menu)
    totals = await control(wechat, "GET", "/ledger/totals")
    assert totals["effects"] == [{"appid": APPID, "effect": "menu_created", "count": 1}]
    (entry,) = (await control(wechat, "GET", "/ledger?kind=effect"))["entries"]
    assert (entry["effect"], entry["appid"], entry["at"]) == ("menu_created", APPID, NOW)


async def test_menu_rights_and_linked_mini_programs_are_changed(wechat: Client) -> None:
    change = {"menu_rights": "none", "mini_programs": ["wx1"]}
    shown = await control(wechat, "PATCH", f"/accounts/{APPID}", change)
    assert (shown["menu_rights"], shown["mini_programs"]) == ("none", ["wx1"])
    shown = await control(wechat, "PATCH", f"/accounts/{APPID}", {"mini_programs": None})
    assert shown["mini_programs"] is None
