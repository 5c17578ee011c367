"""The page shows the phone as users will see it, marks what changes, and can do no harm."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given

from menu_worker.diff import diff
from menu_worker.label_width import cut
from menu_worker.menu import Button, Conditional, Live, Menu, Rule
from menu_worker.preview import render
from tests.menu_worker.menus import menus

VOID = {"meta"}


class Page(HTMLParser):
    """The elements of a page as (name, classes, text below), read strictly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, str, list[str]]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[tuple[str, str, list[str]]] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: tuple[str, str, list[str]] = (tag, dict(attrs).get("class") or "", [])
        self.elements.append(element)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data.strip())

    def texts(self, css: str) -> list[str]:
        """Of every element with this class."""
        return [
            " ".join(filter(None, texts))
            for _, classes, texts in self.elements
            if css in classes.split()
        ]


def click(name: str, key: str = "K") -> Button:
    return Button(name, "click", (("key", key),))


def view(name: str, url: str) -> Button:
    return Button(name, "view", (("url", url),))


def page(desired: Menu, live: Live | None = None) -> Page:
    changes = diff(live.menu, desired) if live else ()
    return Page(render(desired, live, changes, "shop"))


TAG = Rule((("tag_id", "2"),))
PHONE = Rule((("client_platform_type", "1"),))


def test_a_desired_menu_alone_is_one_phone_without_marks() -> None:
    shown = page(Menu((click("买入"), Button("更多", children=(click("帮助"),)))))
    assert len(shown.texts("phone")) == 1
    assert shown.texts("label") == ["买入", "更多"]
    assert shown.texts("tile") == ["帮助"]
    assert shown.texts("mark") == []


def test_desired_stands_beside_live_with_the_changes_marked_in_words() -> None:
    live = Live(Menu((click("买入", "BUY"), click("旧", "OLD"), view("页", "http://a.example/"))))
    desired = Menu((click("买进", "BUY"), view("页", "http://b.example/"), click("新", "NEW")))
    shown = page(desired, live)
    before, after = shown.texts("phone")
    assert before.count("删除 removed") == 1
    assert "旧 删除 removed" in before
    assert "买进 改名 renamed" in after
    assert "页 改目标 retargeted" in after
    assert "新 新增 added" in after
    (changes,) = shown.texts("changes")
    assert "http://a.example/ → http://b.example/" in changes


@pytest.mark.parametrize("kind", ["added", "removed", "moved", "renamed", "retargeted", "retyped"])
def test_every_kind_of_change_has_a_colour(kind: str) -> None:
    style = render(Menu((click("a"),)), None, ())
    assert re.search(rf"--{kind}: #\w+", style)
    assert f".mark.{kind} {{ background: var(--{kind}); }}" in style


def test_every_conditional_menu_is_a_phone_of_its_own() -> None:
    desired = Menu(
        (click("a"),), (Conditional(TAG, (click("b"),)), Conditional(PHONE, (click("c"),)))
    )
    shown = page(desired)
    assert [text.split()[-1] for text in shown.texts("phone")] == ["a", "b", "c"]
    said = " ".join(text for _, _, texts in shown.elements for text in texts)
    assert "标签 2 · users with tag 2" in said
    assert "iOS" in said


def test_a_conditional_menu_that_goes_is_shown_going() -> None:
    live = Live(Menu((click("a"),), (Conditional(TAG, (click("b"),)),)), ids=("1",))
    before, after = page(Menu((click("a"),)), live).texts("phone")[2:]
    assert "b 删除 removed" in before
    assert "没有菜单 · no menu" in after


def test_of_two_menus_with_one_rule_the_hidden_one_is_said_to_be() -> None:
    twins = (Conditional(TAG, (click("b"),)), Conditional(TAG, (click("c"),)))
    live = Live(Menu((click("a"),)))
    hidden, newest = page(Menu((click("a"),), twins), live).texts("desired")[1:]
    assert "never seen" in hidden
    assert "added" not in hidden
    assert "c 新增 added" in newest


def test_equal_menus_are_said_to_be_equal() -> None:
    menu = Menu((click("a"),))
    assert page(menu, Live(menu)).texts("changes") == ["没有变化 · no change"]


def test_a_menu_of_the_console_is_shown_with_what_becomes_of_it() -> None:
    live = Live(Menu(), console=(Button("问候", "text", (("value", "您好"),)),), is_open=False)
    before = page(Menu((click("a"),)), live).texts("live")[0]
    assert "问候" in before
    assert "您好" in before
    assert "replaced as a whole" in before
    assert "switched off" in before


def test_names_too_long_for_a_phone_are_cut_there_and_whole_below() -> None:
    shown = page(
        Menu((click("买入卖出啊"), Button("更多", children=(click("九个汉字就放不下了"),))))
    )
    assert shown.texts("label")[0] == "买入卖出…"
    assert shown.texts("tile") == ["九个汉字就放不下…"]
    assert any("九个汉字就放不下了" in text for text in shown.texts("action"))


def test_an_emoji_is_never_cut_in_its_middle() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert cut(family * 5, 4) == family * 4 + "…"


EVIL = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}"


def test_what_people_type_stays_text() -> None:
    desired = Menu((click(EVIL, EVIL), Button(EVIL, children=(view(EVIL, EVIL),))))
    live = Live(Menu((click(f"{EVIL}!", EVIL),)))
    shown = Page(render(desired, live, diff(live.menu, desired), EVIL))
    assert not {tag for tag, _, _ in shown.elements} & {"script", "img", "a", "iframe", "link"}
    assert any(EVIL.replace("  ", " ") in text for text in shown.texts("action"))


@given(menus, menus)
def test_the_page_refers_to_nothing_outside(before: Menu, after: Menu) -> None:
    live = Live(before, ids=tuple(str(n) for n, _ in enumerate(before.conditional)))
    shown: Any = page(after, live)
    assert not {name for name, _ in shown.attributes} & {"src", "href", "style", "onclick"}
    html = render(after, live, diff(before, after))
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in html


@given(menus, menus)
def test_every_button_of_both_menus_is_on_its_phone(before: Menu, after: Menu) -> None:
    shown = page(after, Live(Menu(before.buttons)))
    wanted = [*before.buttons, *after.buttons]
    assert len(shown.texts("label")) >= len(wanted)
    labels = [text.split()[0] for text in shown.texts("label")[: len(wanted)]]
    assert labels == [button.name for button in wanted]
