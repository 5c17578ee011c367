"""WeChat's shapes of one menu are one menu."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from menu_worker.menu import Button, Conditional, Menu, Rule
from menu_worker.normal_form import live_of, matched_buttons, of_desired
from tests.menu_worker.menus import menus

BUY = {"type": "click", "name": "买入", "key": "BUY_IN"}
LINK = {"type": "view", "name": "昨日收益", "url": "http://www.example.com/?a=1&b=2"}


def test_the_shape_of_get_is_the_shape_of_create() -> None:
    sent = {"button": [BUY, {"name": "查收益", "sub_button": [LINK]}]}
    got = {
        "menu": {
            "button": [
                {**BUY, "sub_button": []},
                {"name": "查收益", "sub_button": [{**LINK, "sub_button": []}]},
            ]
        }
    }
    assert live_of(got).menu == of_desired(sent)


def test_a_parent_s_own_type_and_key_count_for_nothing() -> None:
    redundant = {"name": "查收益", "type": "click", "key": "X", "sub_button": [LINK]}
    plain = {"name": "查收益", "sub_button": [LINK]}
    assert of_desired({"button": [redundant]}) == of_desired({"button": [plain]})


def test_types_are_compared_in_lower_case_and_names_byte_by_byte() -> None:
    assert of_desired({"button": [{**BUY, "type": "CLICK"}]}) == of_desired({"button": [BUY]})
    composed, decomposed = "é", "e\u0301"
    assert of_desired({"button": [{**BUY, "name": composed}]}) != of_desired(
        {"button": [{**BUY, "name": decomposed}]}
    )


def test_a_rule_by_group_id_is_a_rule_by_tag_id_and_numbers_are_texts() -> None:
    sent = {
        "button": [BUY],
        "conditional": [
            {"matchrule": {"tag_id": "2", "client_platform_type": ""}, "button": [BUY]}
        ],
    }
    got = {
        "menu": {"button": [BUY], "menuid": 208396938},
        "conditionalmenu": [{"matchrule": {"group_id": 2}, "button": [BUY], "menuid": 208396993}],
    }
    live = live_of(got)
    assert live.menu == of_desired(sent)
    assert live.ids == ("208396993",)


def test_conditional_menus_are_put_in_the_order_of_their_creation() -> None:
    newest_first = [
        {"matchrule": {"group_id": 2}, "button": [BUY], "menuid": 102},
        {"matchrule": {"group_id": 1}, "button": [BUY], "menuid": 101},
    ]
    live = live_of({"menu": {"button": [BUY]}, "conditionalmenu": newest_first})
    assert live.ids == ("101", "102")
    assert [str(each.rule) for each in live.menu.conditional] == ["tag_id=1", "tag_id=2"]


def console_menu(value: str) -> dict[str, Any]:
    return {
        "is_menu_open": 1,
        "selfmenu_info": {
            "button": [
                {"type": "text", "name": "问候", "value": "hello"},
                {
                    "name": "更多",
                    "sub_button": {"list": [{"type": "img", "name": "图", "value": value}]},
                },
            ]
        },
    }


def test_a_menu_of_the_console_is_seen_where_get_sees_nothing() -> None:
    live = live_of(None, console_menu("m1"))
    assert live.menu == Menu()
    assert live.is_console_made
    assert [button.name for button in live.console] == ["问候", "更多"]


def test_a_console_menu_is_the_same_though_its_media_ids_are_new() -> None:
    assert (
        live_of(None, console_menu("m1")).fingerprint
        == live_of(None, console_menu("m2")).fingerprint
    )


def test_a_menu_switched_off_in_the_console_is_said_to_be() -> None:
    assert not live_of({"menu": {"button": [BUY]}}, {"is_menu_open": 0}).is_open


def test_unknown_fields_are_named_and_not_compared() -> None:
    live = live_of({"menu": {"button": [{**BUY, "colour": "red"}]}})
    assert live.ignored == ("colour",)
    assert live.menu == of_desired({"button": [BUY]})


def test_both_shapes_of_trymatch_are_read() -> None:
    wanted = (Button("买入", "click", (("key", "BUY_IN"),)),)
    assert matched_buttons({"button": [BUY]}) == wanted
    assert matched_buttons({"menu": {"button": [BUY]}}) == wanted


def test_rules_of_old_with_an_unset_sex_have_no_such_field() -> None:
    menu = of_desired(
        {"button": [BUY], "conditional": [{"matchrule": {"tag_id": 1, "sex": 0}, "button": [BUY]}]}
    )
    assert menu.conditional == (
        Conditional(Rule((("tag_id", "1"),)), (Button("买入", "click", (("key", "BUY_IN"),)),)),
    )


@given(menus)
def test_a_menu_s_document_is_read_as_that_menu(menu: Menu) -> None:
    assert of_desired(menu.document()) == menu
