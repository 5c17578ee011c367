"""Menus for some users: rules, matching, order, limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.menu_samples import CLICK, VIEW, Shop, named
from tests.emulator.platforms import OPENID, account, code_of, user
from zhongkong.emulator.account import AccountKind

OTHER = "o" + "z" * 27


def shop(*users: Any, **switches: Any) -> Shop:
    made = Shop(account(users=users or (user(tags=(2, 7), wechat_id="xiaoming"),)), **switches)
    made.create(named("default"))
    return made


def test_the_id_is_a_text_when_added_and_a_number_when_listed() -> None:
    made = shop()
    added = made.add({"tag_id": "7"})
    assert added == {"menuid": added["menuid"]}
    assert isinstance(added["menuid"], str)
    read = made.get("menu/get")
    assert read["conditionalmenu"] == [
        {
            "button": [{**CLICK, "sub_button": []}],
            "matchrule": {"group_id": "7"},
            "menuid": int(added["menuid"]),
        }
    ]
    assert isinstance(read["menu"]["menuid"], int)


def test_the_newest_is_listed_first_and_has_the_highest_id() -> None:
    made = shop()
    ids = [int(made.add({"tag_id": str(tag)})["menuid"]) for tag in (7, 8, 9)]
    listed = [each["menuid"] for each in made.get("menu/get")["conditionalmenu"]]
    assert listed == ids[::-1] == sorted(ids, reverse=True)


def test_empty_fields_of_a_rule_are_dropped_and_numbers_may_be_shown_as_such() -> None:
    made = shop(rule_values="number")
    made.add({"tag_id": 7, "sex": "", "country": None, "client_platform_type": "1"})
    (listed,) = made.get("menu/get")["conditionalmenu"]
    assert listed["matchrule"] == {"group_id": 7, "client_platform_type": 1}


def test_the_newest_match_wins_and_the_default_menu_is_for_the_others() -> None:
    made = shop(user(tags=(7,)), user(OTHER))
    made.add({"tag_id": "7"}, named("old"))
    newest = made.add({"tag_id": "7"}, named("new"))["menuid"]
    assert made.seen_by(OPENID) == "new"
    assert made.seen_by(OTHER) == "default"
    assert code_of(made.post("delconditional", {"menuid": newest})) == 0
    assert made.seen_by(OPENID) == "old"


def test_of_several_tags_the_one_applied_last_counts() -> None:
    made = shop(user(tags=(7, 2)))
    made.add({"tag_id": "7"}, named("seven"))
    assert made.seen_by(OPENID) == "default"
    made.add({"tag_id": "2"}, named("two"))
    assert made.seen_by(OPENID) == "two"


def test_all_fields_of_a_rule_must_match() -> None:
    made = shop(user(tags=(7,), phone="android"))
    made.add({"tag_id": "7", "client_platform_type": "1"}, named("ios"))
    assert made.seen_by(OPENID) == "default"
    made.add({"tag_id": "7", "client_platform_type": "2"}, named("android"))
    assert made.seen_by(OPENID) == "android"


def test_a_rule_with_withdrawn_fields_is_listed_and_matches_nobody() -> None:
    made = shop(withdrawn_rule_fields="accepted")
    assert "menuid" in made.add({"tag_id": "7", "sex": "1"}, named("men"))
    assert made.seen_by(OPENID) == "default"
    (listed,) = made.get("menu/get")["conditionalmenu"]
    assert listed["matchrule"] == {"group_id": "7", "sex": "1"}


@pytest.mark.parametrize("shape", ["menu", "button"])
def test_trymatch_answers_in_either_shape(shape: str) -> None:
    shown = shop(trymatch_shape=shape).post("trymatch", {"user_id": "xiaoming"})
    assert list(shown) == [shape]


@pytest.mark.parametrize(
    ("user_id", "code"),
    [("", 40132), (5, 40132), ("一二三四五六七", 40132), ("nobody", 65302), (OTHER, 65315)],
)
def test_trymatch_has_a_code_for_each_wrong_user(user_id: object, code: int) -> None:
    made = shop(user(OTHER, following=False))
    assert code_of(made.post("trymatch", {"user_id": user_id})) == code


def test_trymatch_without_any_menu_is_46003() -> None:
    made = Shop(account(users=(user(),)))
    assert code_of(made.post("trymatch", {"user_id": OPENID})) == 46003


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (None, 65304),
        ({}, 65304),
        ({"tag_id": "", "sex": "0"}, 65304),
        ({"unknown": "1"}, 65304),
        ({"tag_id": "7", "language": "en"}, 65320),
        ({"sex": "1"}, 65320),
        ({"city": "广州"}, 65320),
        ({"tag_id": ["7"]}, 47001),
        ({"tag_id": "seven"}, 40035),
        ({"client_platform_type": "4"}, 40035),
        ({"group_id": "7"}, 0),
    ],
)
def test_a_rule_is_refused_with_its_code(rule: object, code: int) -> None:
    assert code_of(shop().add(rule)) == code


def test_regions_need_their_larger_units_where_they_are_still_taken() -> None:
    made = shop(withdrawn_rule_fields="accepted")
    assert code_of(made.add({"province": "广东"})) == 65310
    assert code_of(made.add({"country": "中国", "city": "广州"})) == 65311
    assert code_of(made.add({"country": "中国", "province": "广东", "city": "广州"})) == 0


def test_a_default_menu_must_be_there_first_and_takes_all_with_it() -> None:
    made = Shop()
    assert code_of(made.add({"tag_id": "7"})) == 65303
    made.create(CLICK)
    made.add({"tag_id": "7"})
    made.get("menu/delete")
    made.create(CLICK)
    assert "conditionalmenu" not in made.get("menu/get")


@pytest.mark.parametrize(("keeps", "left"), [(True, 1), (False, 0)])
def test_a_new_default_menu_keeps_the_others_or_not(keeps: bool, left: int) -> None:
    made = shop(create_keeps_conditional=keeps)
    made.add({"tag_id": "7"})
    made.create(CLICK)
    assert len(made.get("menu/get").get("conditionalmenu", [])) == left


def test_the_codes_of_buttons_come_before_those_of_the_rule() -> None:
    made = Shop()
    assert code_of(made.add({}, {**CLICK, "key": ""})) == 40019
    assert code_of(made.add({}, {"name": "x"})) == 65308
    empty = made.post("addconditional", {"button": [], "matchrule": {}})
    assert code_of(empty) == 65307
    assert code_of(made.post("addconditional", {"matchrule": {}})) == 40016
    assert code_of(made.post("addconditional", b'{"a":"\\u0041"}')) == 40033


def test_at_most_three_domains_over_all_conditional_menus() -> None:
    made = shop()
    for host in ("a", "b", "c"):
        assert "menuid" in made.add({"tag_id": "7"}, {**VIEW, "url": f"http://{host}.example/"})
    assert code_of(made.add({"tag_id": "7"}, {**VIEW, "url": "http://d.example/"})) == 65316
    assert code_of(made.add({"tag_id": "7"}, {**VIEW, "url": "https://C.example/x"})) == 0


def test_the_number_of_menus_is_limited_and_rules_may_have_to_differ() -> None:
    made = shop(conditional_at_most=2, conditional_rules_differ=True)
    assert code_of(made.add({"tag_id": "7"})) == 0
    assert code_of(made.add({"tag_id": 7})) == 65305
    assert code_of(made.add({"tag_id": "8"})) == 0
    assert code_of(made.add({"tag_id": "9"})) == 65305


@pytest.mark.parametrize("menuid", ["1", "", "x", None, "9" * 99, {"a": 1}])
def test_deleting_an_unknown_id_is_65301(menuid: object) -> None:
    assert code_of(shop().post("delconditional", {"menuid": menuid})) == 65301
    assert code_of(shop().post("delconditional", {"menuId": menuid})) == 65301


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"kind": AccountKind.SUBSCRIPTION}, 48001),
        ({"kind": AccountKind.SERVICE}, 65306),
        ({"menu_rights": "no_conditional"}, 65309),
        ({"menu_rights": "none"}, 65319),
    ],
)
def test_not_every_account_has_conditional_menus(facts: dict[str, Any], code: int) -> None:
    assert code_of(Shop(account(**facts)).add({"tag_id": "7"})) == code


def test_an_addition_is_counted_once_even_if_its_answer_was_lost() -> None:
    made = shop()
    made.add({"tag_id": "7"})
    made.add({})
    assert made.model.ledger.effects("conditional_menu_added") == 1
