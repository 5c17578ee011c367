"""Any sound menu comes back as it was sent, in the normal form; any other menu has a code."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings, strategies as st

from tests.emulator.menu_samples import Shop
from tests.emulator.platforms import NOW, OPENID, account, code_of, user

EVENTS = ("click", "scancode_push", "scancode_waitmsg", "pic_weixin", "location_select")


def texts(at_most: int) -> st.SearchStrategy[str]:
    letters = st.characters(exclude_categories=("Cs", "Cc"))
    return st.text(letters, min_size=1, max_size=at_most).filter(
        lambda text: len(text.encode()) <= at_most
    )


def leaves(name_bytes: int) -> st.SearchStrategy[dict[str, Any]]:
    names, urls = texts(name_bytes), texts(60).map(lambda text: f"https://a.example/{text}")
    events = st.fixed_dictionaries(
        {"type": st.sampled_from(EVENTS), "name": names, "key": texts(128)}
    )
    views = st.fixed_dictionaries({"type": st.just("view"), "name": names, "url": urls})
    programs = st.fixed_dictionaries(
        {
            "type": st.just("miniprogram"),
            "name": names,
            "url": urls,
            "appid": st.from_regex(r"wx[0-9a-f]{16}", fullmatch=True),
            "pagepath": texts(40),
        }
    )
    return events | views | programs


PARENTS = st.fixed_dictionaries(
    {"name": texts(16), "sub_button": st.lists(leaves(60), min_size=1, max_size=5)}
)
MENUS = st.lists(leaves(16) | PARENTS, min_size=1, max_size=3)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "type", "key", "url", "sub_button", "media_id", "x"]), inner
        )
    ),
    max_leaves=12,
)


def normal(button: dict[str, Any]) -> dict[str, Any]:
    """The form of comparison: no empty `sub_button`, nothing else taken away."""
    subs = [normal(each) for each in button.get("sub_button", [])]
    rest = {name: value for name, value in button.items() if name != "sub_button"}
    return {**rest, "sub_button": subs} if subs else rest


@given(menu=MENUS)
def test_create_then_get_gives_the_same_normal_form(menu: list[dict[str, Any]]) -> None:
    shop = Shop()
    assert shop.create(*menu) == 0
    read = shop.get("menu/get")["menu"]["button"]
    assert [normal(each) for each in read] == [normal(each) for each in menu]
    assert shop.create(*read) == 0
    assert shop.get("menu/get")["menu"]["button"] == read


@given(menu=MENUS)
@settings(max_examples=60)
def test_selfmenu_info_tells_the_same_menu(menu: list[dict[str, Any]]) -> None:
    shop = Shop()
    shop.create(*menu)
    read = shop.get("get_current_selfmenu_info")["selfmenu_info"]["button"]
    for each in read:
        each["sub_button"] = each.pop("sub_button", {"list": []})["list"]
    assert [normal(each) for each in read] == [normal(each) for each in menu]


@given(menu=MENUS)
@settings(max_examples=60)
def test_a_conditional_menu_comes_back_as_its_audience_sees_it(menu: list[dict[str, Any]]) -> None:
    shop = Shop(account(users=(user(tags=(7,)),)))
    shop.create({"type": "click", "name": "d", "key": "D"})
    menuid = shop.add({"tag_id": "7"}, *menu)["menuid"]
    shown = shop.post("trymatch", {"user_id": OPENID})["menu"]["button"]
    (listed,) = shop.get("menu/get")["conditionalmenu"]
    assert listed["menuid"] == int(menuid)
    assert listed["button"] == shown
    assert [normal(each) for each in shown] == [normal(each) for each in menu]


@given(button=ANYTHING, rule=ANYTHING)
def test_anything_else_is_answered_with_a_code_and_changes_nothing(button: Any, rule: Any) -> None:
    shop = Shop()
    before = shop.get("menu/get")
    created = shop.post("create", {"button": button})
    if code_of(created):
        assert code_of(shop.get("menu/get")) == code_of(before) == 46003
    assert orjson.dumps(shop.post("addconditional", {"button": button, "matchrule": rule}, NOW))
