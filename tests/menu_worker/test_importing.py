"""What is live becomes a file that loads as it; what no call can create becomes advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from menu_worker.desired import DesiredRefused, load_file
from menu_worker.importing import to_file_text
from menu_worker.menu import Button, Live, Menu
from menu_worker.normal_form import live_of
from tests.menu_worker.files import written
from tests.menu_worker.menus import menus
from tests.menu_worker.test_published_shapes import AS_GET_SHOWS, MADE_IN_THE_CONSOLE

BUY = Button("买入", "click", (("key", "BUY_IN"),))


def live(menu: Menu) -> Live:
    return Live(menu, ids=tuple(str(n) for n, _ in enumerate(menu.conditional)))


@given(menu=menus)
def test_the_file_of_a_live_menu_is_that_menu(tmp_path_factory: Any, menu: Menu) -> None:
    path = written(tmp_path_factory.mktemp("import"), to_file_text(live(menu), "shop"))
    desired = load_file(path)
    assert desired.menu == menu
    assert desired.account == "shop"


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=5)


@given(name=TEXTS, key=TEXTS)
def test_any_text_comes_back_as_it_is(tmp_path_factory: Any, name: str, key: str) -> None:
    menu = Menu((Button("p", children=(Button(name, "click", (("key", key),)),)),))
    path = written(tmp_path_factory.mktemp("import"), to_file_text(live(menu), "shop"))
    assert load_file(path).menu == menu


def test_the_file_is_for_people_to_read() -> None:
    text = to_file_text(live_of(AS_GET_SHOWS), "shop")
    assert (
        text.partition("\n")[2]
        == """\
account: shop
button:
  - {type: click, name: "今日行情", key: "V1001_TODAY"}
  - name: "菜单"
    sub_button:
      - {type: view, name: "搜索", url: "http://www.example.com/"}
conditional:
  - matchrule: {client_platform_type: "1", tag_id: "2"}
    button:
      - {type: view, name: "搜索", url: "http://www.example.com/"}
  - matchrule: {tag_id: "3"}
    button:
      - {type: click, name: "赞一下我们", key: "V1001_GOOD"}
"""
    )


def test_leaves_of_the_console_become_comments_that_say_what_to_do(tmp_path: Path) -> None:
    text = to_file_text(live_of(None, MADE_IN_THE_CONSOLE), "shop")
    for advice in (
        "publish the article",
        "permanent material",
        '{type: click, name: "文字", key: "A_KEY"}',
        'reply: {type: text, content: "您好"}',
    ):
        assert any(advice in line for line in text.splitlines() if line.lstrip().startswith("#"))
    (only,) = load_file(written(tmp_path, text)).menu.buttons
    assert [child.name for child in only.children] == ["页"]


def test_what_people_wrote_in_the_console_cannot_leave_its_comment(tmp_path: Path) -> None:
    sly = Button("a\nbutton: []", "text", (("value", "x\n- {type: click}\u2028y"),))
    text = to_file_text(Live(Menu(), console=(sly, BUY)), "shop")
    assert load_file(written(tmp_path, text)).menu == Menu((BUY,))


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(Live(Menu()), id="no menu"),
        pytest.param(Live(Menu(), console=(Button("a", "img"),)), id="pictures alone"),
        pytest.param(
            Live(Menu(), console=(Button("p", children=(Button("a", "img"),)),)),
            id="a parent of pictures alone",
        ),
    ],
)
def test_a_file_without_a_button_is_refused_until_somebody_writes_one(
    tmp_path: Path, nothing: Live
) -> None:
    path = written(tmp_path, to_file_text(nothing, "shop"))
    with pytest.raises(DesiredRefused, match="`button` is missing"):
        load_file(path)


def test_a_menu_whose_rule_is_withdrawn_is_kept_as_a_comment(tmp_path: Path) -> None:
    shown: dict[str, Any] = {
        "menu": {"button": [{"type": "click", "name": "a", "key": "A"}]},
        "conditionalmenu": [
            {"matchrule": {"sex": "1"}, "button": [{"type": "click", "name": "b", "key": "B"}]}
        ],
    }
    text = to_file_text(live_of(shown), "shop")
    assert '# - matchrule: {sex: "1"}' in text
    assert load_file(written(tmp_path, text)).menu.conditional == ()


@pytest.mark.parametrize("account", ["null", "yes", "123", "0x1", "shop.eu", "a-b_c"])
def test_any_account_keeps_its_name(tmp_path: Path, account: str) -> None:
    path = written(tmp_path, to_file_text(Live(Menu((BUY,))), account))
    assert load_file(path).account == account
