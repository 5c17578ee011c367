"""Every violation at once, each with its place, what would be right, and WeChat's code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from menu_worker.assertions import Assertion
from menu_worker.findings import Level
from menu_worker.label_width import width
from menu_worker.menu import Rule
from menu_worker.validation import AT_MOST, validate
from tests.menu_worker.files import CLICK, MINI_PROGRAM, VIEW, loaded, parent, refusal, the_refusal


def errors(document: object) -> list[tuple[str, int | None]]:
    return [
        (each.message, each.code)
        for each in validate(document).findings
        if each.level is Level.ERROR
    ]


def warnings(document: object) -> list[str]:
    judged = validate(document)
    assert judged.is_usable, judged.findings
    return [each.message for each in judged.findings]


def top(*buttons: object) -> dict[str, Any]:
    return {"account": "shop", "button": list(buttons)}


FULL_OF_FAULTS = """\
account: shop
button:
  - {type: click, name: 买入买入买入, kay: BUY_IN}
  - name: 查收益
    sub_button:
      - {type: view, name: 昨日收益, url: "www.example.com/"}
      - {type: clik, name: 明日收益, key: K}
      - {type: click, name: yes, key: true}
conditional:
  - matchrule: {tag_id: 2, sex: 1}
    button: []
"""


def test_all_violations_are_found_in_one_go_each_in_its_place(tmp_path: Path) -> None:
    found = [(each.line, each.column, each.code) for each in refusal(tmp_path, FULL_OF_FAULTS)]
    assert found == [
        (3, 5, 40019),
        (3, 19, 40018),
        (6, 34, 40054),
        (7, 10, 40024),
        (8, 34, 40026),
        (10, 28, 65320),
        (11, 5, 65307),
    ]


def test_a_violation_is_printed_as_editors_read_it(tmp_path: Path) -> None:
    first = refusal(tmp_path, FULL_OF_FAULTS)[0]
    assert str(first) == f"{tmp_path}/shop.yaml:3:5: `key` is missing (WeChat: 40019)"


def test_a_flood_of_violations_is_cut(tmp_path: Path) -> None:
    assert len(validate(top(*[{}] * 3000)).findings) == AT_MOST


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("买入卖出", 4),
        ("Download", 4),
        ("买in", 2),
        ("😀😀", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 1),
        ("\U0001f44d\U0001f3fd", 1),
        ("e\u0301", 0.5),
    ],
)
def test_two_latin_letters_are_as_wide_as_a_chinese_character(text: str, wide: float) -> None:
    assert width(text) == wide


@pytest.mark.parametrize(
    ("button", "cut"),
    [
        ({**CLICK, "name": "买入卖出"}, False),
        ({**CLICK, "name": "买入卖出啊"}, True),
        ({**CLICK, "name": "Download"}, False),
        ({**CLICK, "name": "Downloads"}, True),
        (parent({**CLICK, "name": "八个汉字正好放下"}), False),
        (parent({**CLICK, "name": "九个汉字就放不下了"}), True),
    ],
)
def test_names_that_phones_cut_are_warned_of(button: Any, cut: bool) -> None:
    assert any("phones show" in each for each in warnings(top(button))) is cut


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "not true"),
        (1.5, "not the number 1.5"),
        ([], "not a list"),
        ({}, "not a mapping"),
        (None, "is missing"),
        ("", "is empty"),
    ],
)
def test_what_is_no_text_is_refused_by_what_it_is(value: object, said: str) -> None:
    ((message, code),) = errors(top({**CLICK, "key": value}))
    assert said in message
    assert code == 40019


def test_a_number_where_a_text_is_meant_is_taken_with_a_warning() -> None:
    judged = validate(top({**CLICK, "key": 1001}))
    assert judged.menu.buttons[0].target == "1001"
    assert 'taken as "1001"' in judged.findings[0].message


def test_numbers_for_ids_are_fine(tmp_path: Path) -> None:
    text = """\
account: shop
button: [{type: click, name: a, key: A}]
conditional:
  - {matchrule: {tag_id: 2, client_platform_type: 1}, button: [{type: click, name: b, key: B}]}
"""
    desired = loaded(tmp_path, text)
    rule = Rule((("client_platform_type", "1"), ("tag_id", "2")))
    assert desired.menu.conditional[0].rule == rule
    assert not any("number" in each.message for each in desired.warnings)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "买\x07"}, 40033),
        ({"name": "\ud83d"}, 40033),
        ({"key": "a\nb"}, 40033),
        ({"key": "k" * 129}, 40019),
        ({"key": "买" * 43}, 40019),
    ],
)
def test_texts_that_cannot_be_sent_are_refused(fields: dict[str, str], code: int) -> None:
    assert [each[1] for each in errors(top({**CLICK, **fields}))] == [code]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://a.example/" + "x" * 1007, None),
        ("http://a.example/" + "x" * 1008, 40020),
        ("HTTPS://A.EXAMPLE/", None),
        ("ftp://a.example/", 40055),
        ("//a.example/", 40055),
        ("http:///a", 40055),
        ("http://[/", 40055),
        (" http://a.example/", 40055),
        ("javascript:alert(1)", 40055),
    ],
)
def test_addresses_need_a_scheme_a_host_and_a_measure(url: str, code: int | None) -> None:
    assert [each[1] for each in errors(top({**VIEW, "url": url}))] == ([code] if code else [])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (top({**CLICK, "colour": "red"}), "`colour` is no field of a button"),
        (top({**CLICK, "Key_": "x"}), "did you mean `key`?"),
        (top({**CLICK, "url": "http://a.example"}), "click takes no `url`"),
        (top({"type": "view", **parent(CLICK)}), "its `type` is left out"),
        (top({**MINI_PROGRAM, "pagepath": "/pages/index"}), "begins with a slash"),
        (top({**VIEW, "url": "http://a.example/a b"}), "%20"),
        (top(CLICK, {**CLICK, "name": "卖出"}), 'the button "买入" has the key "BUY_IN" too'),
        (top({"name": "a", "sub_button": {"list": [CLICK]}}), "write the list itself"),
        (top(MINI_PROGRAM), "only verified accounts"),
        (top({"type": "view_limited", "name": "a", "media_id": "M"}), "permanent material"),
        ({**top(CLICK), "comment": "x"}, "`comment` is unknown here, and left out"),
    ],
)
def test_what_is_odd_but_harmless_is_a_warning(document: Any, said: str) -> None:
    assert any(said in each for each in warnings(document))


def test_the_same_key_with_another_type_is_another_event() -> None:
    assert warnings(top(CLICK, {**CLICK, "type": "scancode_push"})) == []


def test_a_remark_about_accounts_is_made_once() -> None:
    said = warnings(top(MINI_PROGRAM, parent(MINI_PROGRAM)))
    assert sum("only verified accounts" in each for each in said) == 1


def test_two_menus_with_one_rule_are_warned_of_since_only_the_newest_is_seen() -> None:
    menus = [
        {"matchrule": {"tag_id": 2}, "button": [CLICK]},
        {"matchrule": {"group_id": "2"}, "button": [VIEW]},
    ]
    assert any("only the last" in each for each in warnings({**top(CLICK), "conditional": menus}))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"tagid": 2, "client_platform_type": 1}, "did you mean `tag_id`?"),
        ({"tag_id": 2, "group_id": 3}, "they differ"),
        ({"tag_id": 2.0}, "the number of a tag"),
        ({"tag_id": [2]}, "not a list"),
    ],
)
def test_a_rule_that_could_mean_others_is_refused(rule: Any, said: str) -> None:
    document = {**top(CLICK), "conditional": [{"matchrule": rule, "button": [CLICK]}]}
    assert any(said in message for message, _ in errors(document))


@pytest.mark.parametrize("name", ["conditionals", "condition", "buttons", "asserts"])
def test_a_misspelt_part_of_the_file_is_an_error(name: str) -> None:
    """Left out, the menus below it would be deleted."""
    assert any("did you mean" in message for message, _ in errors({**top(CLICK), name: []}))


def test_types_of_the_console_come_with_what_to_do_instead() -> None:
    for kind in ("text", "img", "voice", "video", "news"):
        ((message, code),) = errors(top({"type": kind, "name": "a", "value": "v"}))
        assert "web console" in message
        assert "make it" in message
        assert code == 40017


def test_messages_never_carry_control_characters() -> None:
    document = {**top({**CLICK, "type": "\x1b[31m", "\x1b[2J": 1}), "\x07": 1}
    assert all(each.message.isprintable() for each in validate(document).findings)


# -- the account and the assertions ----------------------------------------------------------------


@pytest.mark.parametrize("account", ["true", "1.5", "[a]", "a/b", "''", '"x\\ny"'])
def test_an_account_needs_a_name(tmp_path: Path, account: str) -> None:
    text = f"account: {account}\nbutton: [{{type: click, name: a, key: A}}]\n"
    line, column, message = the_refusal(tmp_path, text)
    assert (line, column) == (1, 1)
    assert "`account` is a name" in message


ASSERTED = """\
account: shop
button: [{type: click, name: a, key: A}]
conditional: [{matchrule: {tag_id: 2}, button: [{type: click, name: b, key: B}]}]
assert:
  - {user: oABC123, sees: default}
  - {user: oDEF456, sees: {tag_id: "2"}}
"""


def test_assertions_name_a_user_and_a_menu(tmp_path: Path) -> None:
    assert loaded(tmp_path, ASSERTED).assertions == (
        Assertion("oABC123", None),
        Assertion("oDEF456", Rule((("tag_id", "2"),))),
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("- {user: oABC123, sees: {tag_id: 3}}", "no conditional menu of this file"),
        ("- {user: oABC123, sees: everything}", "`sees` is default or a rule"),
        ("- {user: oABC123}", "`sees` is default or a rule"),
        ("- {sees: default}", "`user` is an openid"),
        ("- {user: 5, sees: default}", "`user` is an openid"),
        ("- {user: oABC123, see: default, sees: default}", "did you mean `sees`?"),
        ("- oABC123", "an assertion has"),
        ("{}", "`assert` is a list"),
    ],
)
def test_an_assertion_that_means_nothing_is_refused(tmp_path: Path, given: str, said: str) -> None:
    text = f"{ASSERTED.partition('assert:')[0]}assert:\n  {given}\n"
    line, _, message = the_refusal(tmp_path, text)
    assert line == 5 if given.startswith("-") else line == 4
    assert said in message
