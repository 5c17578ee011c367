"""Menus as SDKs and WeChat's documentation write them: pasted, they load, or are refused with the
code that WeChat would give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from menu_worker.menu import Menu
from menu_worker.normal_form import live_of
from tests.emulator.menu_samples import Shop
from tests.emulator.platforms import account
from tests.menu_worker.files import CLICK, MINI_PROGRAM, VIEW, loaded, menu_of, parent, refusal
from tests.menu_worker.sendings import add_code, codes_of_sending, create_code

DAILY = {"type": "click", "name": "今日行情", "key": "V1001_TODAY"}
SEARCH = {"type": "view", "name": "搜索", "url": "http://www.example.com/"}
PRAISE = {"type": "click", "name": "赞一下我们", "key": "V1001_GOOD"}
EVERY_EVENT = [
    {"name": "扫码", "sub_button": [
        {"type": "scancode_waitmsg", "name": "扫码带提示", "key": "r_0_0", "sub_button": []},
        {"type": "scancode_push", "name": "扫码推事件", "key": "r_0_1", "sub_button": []},
    ]},
    {"name": "发图", "sub_button": [
        {"type": "pic_sysphoto", "name": "系统拍照发图", "key": "r_1_0", "sub_button": []},
        {"type": "pic_photo_or_album", "name": "拍照或相册发图", "key": "r_1_1", "sub_button": []},
        {"type": "pic_weixin", "name": "微信相册发图", "key": "r_1_2", "sub_button": []},
    ]},
    {"name": "发送位置", "type": "location_select", "key": "r_2_0"},
]  # fmt: skip
AS_GET_SHOWS = {
    "menu": {
        "button": [
            {**DAILY, "sub_button": []},
            {"name": "菜单", "sub_button": [{**SEARCH, "sub_button": []}]},
        ],
        "menuid": 208396938,
    },
    "conditionalmenu": [
        {
            "button": [{**PRAISE, "sub_button": []}],
            "matchrule": {"group_id": 3},
            "menuid": 208396994,
        },
        {
            "button": [{**SEARCH, "sub_button": []}],
            "matchrule": {"group_id": "2", "client_platform_type": "1"},
            "menuid": 208396993,
        },
    ],
}
MADE_BY_CALL = {
    "is_menu_open": 1,
    "selfmenu_info": {
        "button": [DAILY, {"name": "菜单", "sub_button": {"list": [SEARCH, PRAISE]}}]
    },
}
MADE_IN_THE_CONSOLE = {
    "is_menu_open": 1,
    "selfmenu_info": {
        "button": [
            {"type": "news", "name": "图文", "value": "M1", "news_info": {"list": [
                {"title": "题", "author": "人", "digest": "", "show_cover": 0, "cover_url": "",
                 "content_url": "http://mp.example.com/s", "source_url": ""},
            ]}},
            {"name": "更多", "sub_button": {"list": [
                {"type": "video", "name": "视频", "value": "http://v.example.com/1"},
                {"type": "voice", "name": "语音", "value": "M2"},
                {"type": "img", "name": "图", "value": "M3"},
                {"type": "view", "name": "页", "url": "http://www.example.com/"},
            ]}},
            {"type": "text", "name": "文字", "value": "您好"},
        ]
    },
}  # fmt: skip
NULLS_FOR_ALL_ELSE: dict[str, Any] = {
    "type": "click", "name": "点我", "key": "K", "url": None, "mediaId": None, "appid": "",
    "pagepath": None, "sub_button": [],
}  # fmt: skip

TAKEN = {
    "the documentation's first sample": {"button": [DAILY, parent(SEARCH, MINI_PROGRAM, PRAISE)]},
    "the documentation's sample of every event": {"button": EVERY_EVENT},
    "what menu/get shows": AS_GET_SHOWS,
    "what menu/get shows without conditional menus": {"menu": {"button": [DAILY]}},
    "what menu/trymatch shows": {"button": [{**DAILY, "sub_button": []}]},
    "what get_current_selfmenu_info shows of a menu made by calls": MADE_BY_CALL,
    "the bare list of EasyWeChat": [DAILY, parent(SEARCH, PRAISE)],
    "an SDK's object with every field that it knows": {"button": [NULLS_FOR_ALL_ELSE]},
    "a parent with a type and a key of its own": {
        "button": [{"type": "click", "key": "P", **parent(PRAISE)}]
    },
    "a type written as an enum's name": {"button": [{**DAILY, "type": "CLICK"}]},
    "a key that PHP made a number": {"button": [{**DAILY, "key": 1001}]},
    "an answer with its errcode": {"errcode": 0, "errmsg": "ok", "menu": {"button": [DAILY]}},
}


@pytest.mark.parametrize("document", TAKEN.values(), ids=TAKEN)
def test_a_published_menu_pastes_in_and_wechat_takes_what_is_sent_for_it(
    tmp_path: Path, document: Any
) -> None:
    menu = menu_of(tmp_path, document, "shop.json")
    assert set(codes_of_sending(menu)) == {0}


def test_pasted_conditional_menus_keep_the_order_of_their_creation(tmp_path: Path) -> None:
    assert menu_of(tmp_path, AS_GET_SHOWS) == live_of(AS_GET_SHOWS).menu


def test_the_shapes_of_one_menu_are_one_menu(tmp_path: Path) -> None:
    own = {"button": [DAILY, {"name": "菜单", "sub_button": [SEARCH, PRAISE]}]}
    assert menu_of(tmp_path, MADE_BY_CALL) == menu_of(tmp_path, own)
    assert menu_of(tmp_path, own["button"]) == menu_of(tmp_path, own)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (AS_GET_SHOWS, "taken as what menu/get shows"),
        (AS_GET_SHOWS, "newest first"),
        (MADE_BY_CALL, "taken as what get_current_selfmenu_info shows"),
        ([DAILY], "taken as the list under `button`"),
    ],
)
def test_what_a_pasted_menu_was_taken_as_is_said(tmp_path: Path, document: Any, said: str) -> None:
    warnings = loaded(tmp_path, document, "shop.json").warnings
    assert any(said in each.message for each in warnings)


def test_our_own_shape_needs_no_warning(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"account": "shop", "button": [CLICK, parent(VIEW)]}).warnings == ()


RULE_OF_OLD = {
    "tag_id": "2", "sex": "1", "country": "中国", "province": "广东", "city": "广州",
    "client_platform_type": "2", "language": "zh_CN",
}  # fmt: skip

REFUSED = {
    "a menu made in the console": (MADE_IN_THE_CONSOLE, {40017, 40024}),
    "an object of Java whose list is called buttons": ({"buttons": [DAILY]}, {None, 40016}),
    "a PHP array with gaps": ({"button": {"0": DAILY, "2": SEARCH}}, {40016}),
    "four buttons": ({"button": [DAILY] * 4}, {40016}),
    "six sub-buttons": ({"button": [parent(*[PRAISE] * 6)]}, {40023}),
    "three levels": ({"button": [parent(parent(PRAISE))]}, {40022}),
    "six Chinese characters": ({"button": [{**DAILY, "name": "今日行情快报"}]}, {40018}),
    "click with a url": ({"button": [{"type": "click", "name": "a", "url": "http://a"}]}, {40019}),
    "view with a key, below": (
        {"button": [parent({"type": "view", "name": "a", "key": "K"})]},
        {40027},
    ),
    "an address without http": ({"button": [{**SEARCH, "url": "www.example.com"}]}, {40055}),
    "a mini-program by another name of its field": (
        {"button": [{**MINI_PROGRAM, "appid": "", "appId": "wx" + "f" * 16}]},
        {40166},
    ),
    "a button without type": ({"button": [{"name": "a", "key": "K"}]}, {40017}),
    "a parent without children": ({"button": [{"name": "a", "sub_button": []}]}, {40023}),
    "an error for an answer": ({"errcode": 46003, "errmsg": "menu no exist"}, {40016}),
}


@pytest.mark.parametrize(("document", "codes"), REFUSED.values(), ids=REFUSED)
def test_a_published_menu_that_wechat_refuses_is_refused_with_its_code(
    tmp_path: Path, document: Any, codes: set[int | None]
) -> None:
    assert {each.code for each in refusal(tmp_path, document, "shop.json")} == codes


@pytest.mark.parametrize(
    "document",
    [document for name, (document, _) in REFUSED.items() if "console" not in name],
    ids=[name for name in REFUSED if "console" not in name],
)
def test_the_codes_are_those_of_the_emulated_wechat(tmp_path: Path, document: Any) -> None:
    shop = Shop(account(mini_programs=(MINI_PROGRAM["appid"],)))
    codes = {each.code for each in refusal(tmp_path, document, "shop.json")}
    assert create_code(document, shop) in codes


@pytest.mark.parametrize(
    ("conditional", "code"),
    [
        pytest.param({"button": [DAILY], "matchrule": RULE_OF_OLD}, 65320, id="a rule of old"),
        pytest.param({"button": [DAILY], "matchrule": {}}, 65304, id="an empty rule"),
        pytest.param({"button": [DAILY], "matchrule": {"tag_id": ""}}, 65304, id="only empties"),
        pytest.param({"button": [DAILY]}, 65304, id="no rule"),
        pytest.param({"button": [], "matchrule": {"tag_id": 2}}, 65307, id="no button"),
        pytest.param({"button": [{"name": "a"}], "matchrule": {"tag_id": 2}}, 65308, id="no type"),
        pytest.param({"button": [DAILY], "matchrule": {"tag_id": "vip"}}, 40035, id="a tag's name"),
        pytest.param({"button": [DAILY], "matchrule": {"tag_id": True}}, 47001, id="a boolean"),
        pytest.param(
            {"button": [DAILY], "matchrule": {"client_platform_type": "iOS"}}, 40035, id="a phone"
        ),
        pytest.param(
            {
                "button": [
                    parent(*[{**SEARCH, "url": f"http://{n}.example.com/"} for n in range(4)])
                ],
                "matchrule": {"tag_id": 2},
            },
            65316,
            id="four domains",
        ),
    ],
)
def test_conditional_menus_are_refused_with_their_codes(
    tmp_path: Path, conditional: Any, code: int
) -> None:
    document = {"button": [DAILY], "conditional": [conditional]}
    assert {each.code for each in refusal(tmp_path, document, "shop.json")} == {code}
    assert add_code(conditional) == code


def test_one_conditional_menu_is_no_desired_menu(tmp_path: Path) -> None:
    pasted = {"button": [DAILY], "matchrule": {"tag_id": 2}}
    (only,) = refusal(tmp_path, pasted, "shop.json")
    assert only.code == add_code(pasted, default=False) == 65303
    assert "addconditional" in only.message


def test_a_conditional_menu_without_a_default_one_is_refused(tmp_path: Path) -> None:
    conditional = {"button": [DAILY], "matchrule": {"tag_id": 2}}
    document = {"button": [], "conditional": [conditional]}
    assert {each.code for each in refusal(tmp_path, document, "shop.json")} == {65303}


def test_two_menus_in_one_file_are_refused(tmp_path: Path) -> None:
    (only,) = refusal(tmp_path, {"button": [DAILY], "menu": {"button": [DAILY]}}, "shop.json")
    assert "two menus" in only.message


def test_an_empty_menu_is_loaded_with_a_warning_for_the_guards_to_decide(tmp_path: Path) -> None:
    desired = loaded(tmp_path, {"button": []}, "shop.json")
    assert desired.menu == Menu()
    assert "allow_delete" in desired.warnings[0].message
