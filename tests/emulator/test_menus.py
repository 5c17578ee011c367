"""The default menu: what get and get_current_selfmenu_info make of what create took."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from tests.emulator.menu_samples import CLICK, MINI_PROGRAM, PARENT, VIEW, Shop
from tests.emulator.platforms import APPID, NOW, SECRET, account, classic, code_of, get
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.world import World


def test_get_shows_every_button_with_a_sub_button() -> None:
    shop = Shop()
    assert shop.create(CLICK, PARENT) == 0
    below = [{**CLICK, "sub_button": []}, {**VIEW, "sub_button": []}]
    assert shop.get("menu/get") == {
        "menu": {
            "button": [{**CLICK, "sub_button": []}, {"name": PARENT["name"], "sub_button": below}]
        }
    }


def test_get_shows_fields_in_wechats_order() -> None:
    shop = Shop()
    shop.create({"key": "K", "name": "n", "type": "click"}, MINI_PROGRAM)
    first, second = shop.get("menu/get")["menu"]["button"]
    assert list(first) == ["type", "name", "key", "sub_button"]
    assert list(second) == ["type", "name", "url", "appid", "pagepath", "sub_button"]


def test_unknown_and_redundant_fields_are_taken_and_not_shown() -> None:
    shop = Shop()
    odd_leaf = {**CLICK, "colour": "red", "url": "x", "sub_button": []}
    odd_parent = {**PARENT, "type": "click", "key": "K"}
    assert shop.create(odd_leaf, odd_parent) == 0
    leaf, parent = shop.get("menu/get")["menu"]["button"]
    assert leaf == {**CLICK, "sub_button": []}
    assert list(parent) == ["name", "sub_button"]


def test_create_replaces_and_delete_removes() -> None:
    shop = Shop()
    shop.create(CLICK)
    shop.create(VIEW)
    assert [each["type"] for each in shop.get("menu/get")["menu"]["button"]] == ["view"]
    assert code_of(shop.get("menu/delete")) == 0
    assert code_of(shop.get("menu/get")) == 46003


@pytest.mark.parametrize("code", [0, 46003])
def test_deleting_nothing_is_answered_as_the_parameter_says(code: int) -> None:
    assert code_of(Shop(menu_delete_empty_code=code).get("menu/delete")) == code


def test_selfmenu_info_wraps_sub_buttons_in_a_list_and_leaves_have_none() -> None:
    shop = Shop()
    shop.create(CLICK, PARENT)
    assert shop.get("get_current_selfmenu_info") == {
        "is_menu_open": 1,
        "selfmenu_info": {
            "button": [CLICK, {"name": PARENT["name"], "sub_button": {"list": [CLICK, VIEW]}}]
        },
    }


def test_selfmenu_info_without_a_menu_says_that_none_is_open() -> None:
    assert Shop().get("get_current_selfmenu_info")["is_menu_open"] == 0


@pytest.mark.parametrize("wrapper", ["menu", "selfmenu_info"])
def test_what_was_read_is_refused_as_it_stands(wrapper: str) -> None:
    shop = Shop()
    shop.create(CLICK, PARENT)
    read = shop.get("menu/get" if wrapper == "menu" else "get_current_selfmenu_info")
    assert code_of(shop.post("create", {wrapper: read[wrapper]})) == 40016


def test_sub_buttons_in_selfmenus_wrapping_are_refused() -> None:
    assert Shop().create({"name": "x", "sub_button": {"list": [CLICK]}}) == 40023


def test_a_refused_menu_leaves_the_old_one() -> None:
    shop = Shop()
    shop.create(CLICK)
    assert shop.create() == 40016
    assert shop.get("menu/get")["menu"]["button"] == [{**CLICK, "sub_button": []}]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (AccountKind.SUBSCRIPTION, 48001),
        (AccountKind.MINI_PROGRAM, 48001),
        (AccountKind.SERVICE, 0),
        (AccountKind.SANDBOX, 0),
    ],
)
def test_the_kind_of_account_decides_whether_it_has_menus(kind: AccountKind, code: int) -> None:
    shop = Shop(account(kind=kind))
    assert shop.create(CLICK) == code
    assert code_of(shop.get("get_current_selfmenu_info")) == 0


def test_an_account_may_have_lost_its_menus() -> None:
    assert Shop(account(menu_rights="none")).create(CLICK) == 65319


def test_wrong_methods_have_their_codes() -> None:
    shop = Shop()
    assert code_of(shop.get("menu/create")) == 43002
    assert code_of(shop.post("delete", {})) == 43001
    assert code_of(shop.post("get", {})) == 43001


@pytest.mark.parametrize(
    ("kind", "limits"),
    [(AccountKind.VERIFIED, (1000, 10_000, 1000)), (AccountKind.SANDBOX, (100, 1000, 100))],
)
def test_menu_calls_have_their_daily_limits(kind: AccountKind, limits: tuple[int, ...]) -> None:
    shop = Shop(account(kind=kind))
    for name, limit in zip(("create", "get", "delete"), limits, strict=True):
        shown = shop.model.call(
            "/cgi-bin/openapi/quota/get",
            shop.token,
            NOW,
            body={"cgi_path": f"/cgi-bin/menu/{name}"},
        )
        assert shown["quota"]["daily_limit"] == limit


def test_the_quota_is_spent_by_refused_menus_too_and_comes_before_the_body() -> None:
    shop = Shop(daily_limits={"/cgi-bin/menu/create": 1})
    assert code_of(shop.post("create", b"")) == 44002
    assert code_of(shop.post("create", b"")) == 45009


def test_each_effect_is_counted_whatever_the_caller_heard() -> None:
    shop = Shop()
    shop.create(CLICK)
    shop.create()
    shop.get("menu/delete")
    assert shop.model.ledger.effects("menu_created") == 1
    assert shop.model.ledger.effects("menu_deleted", APPID) == 1


async def test_selfmenu_info_escapes_slashes_and_names_come_raw(
    wechat: TestClient[Any, Any], world: World
) -> None:
    model = world.model
    token = classic(model)
    created = await wechat.post(
        f"/cgi-bin/menu/create?access_token={token}", json={"button": [VIEW]}
    )
    assert (await created.json(content_type=None))["errcode"] == 40033
    raw = '{"button":[{"type":"view","name":"收益","url":"http://a.example/x"}]}'.encode()
    await wechat.post(f"/cgi-bin/menu/create?access_token={token}", data=raw)
    query = f"?access_token={token}"
    info = await (await wechat.get(f"/cgi-bin/get_current_selfmenu_info{query}")).read()
    assert b"http:\\/\\/a.example\\/x" in info
    assert "收益".encode() in info
    assert b"http://a.example/x" in await (await wechat.get(f"/cgi-bin/menu/get{query}")).read()


def test_a_token_is_needed() -> None:
    model = Shop().model
    assert code_of(get(model, "/cgi-bin/menu/get")) == 41001
    assert SECRET not in str(get(model, "/cgi-bin/menu/get"))
