"""Differences are told as people see them."""

from __future__ import annotations

from hypothesis import given

from menu_worker.diff import diff
from menu_worker.menu import Button, Conditional, Menu, Rule
from menu_worker.steps import Change, ChangeKind
from tests.menu_worker.menus import menus

BUY = Button("买入", "click", (("key", "BUY_IN"),))
SELL = Button("卖出", "click", (("key", "SELL"),))
HELP = Button("帮助", "view", (("url", "http://a.example"),))
MORE = Button("更多", children=(SELL, HELP))


def changes(before: Menu, after: Menu) -> list[tuple[str, str]]:
    return [(change.kind.value, "/".join(change.path)) for change in diff(before, after)]


def test_a_new_button_is_added() -> None:
    assert changes(Menu((BUY,)), Menu((BUY, SELL))) == [("added", "卖出")]


def test_a_button_in_front_moves_nobody() -> None:
    assert changes(Menu((BUY, SELL)), Menu((HELP, BUY, SELL))) == [("added", "帮助")]


def test_a_missing_button_is_removed() -> None:
    assert changes(Menu((BUY, SELL)), Menu((BUY,))) == [("removed", "卖出")]


def test_another_name_for_the_same_key_is_a_renamed_button() -> None:
    renamed = Button("购买", "click", (("key", "BUY_IN"),))
    assert diff(Menu((BUY,)), Menu((renamed,))) == (
        Change(ChangeKind.RENAMED, "default", ("购买",), "买入", "购买"),
    )


def test_another_key_under_the_same_name_is_a_retargeted_button() -> None:
    retargeted = Button("买入", "click", (("key", "BUY_NOW"),))
    assert diff(Menu((BUY,)), Menu((retargeted,))) == (
        Change(ChangeKind.RETARGETED, "default", ("买入",), "BUY_IN", "BUY_NOW"),
    )


def test_a_click_that_became_a_link_is_retyped() -> None:
    link = Button("买入", "view", (("url", "http://a.example"),))
    assert ("retyped", "买入") in changes(Menu((BUY,)), Menu((link,)))


def test_two_buttons_that_changed_places_are_one_move() -> None:
    assert [kind for kind, _ in changes(Menu((BUY, SELL)), Menu((SELL, BUY)))] == ["moved"]


def test_a_button_that_went_into_a_sub_menu_is_moved() -> None:
    before = Menu((BUY, SELL, HELP))
    after = Menu((BUY, MORE))
    assert sorted(changes(before, after)) == [
        ("added", "更多"),
        ("moved", "更多/卖出"),
        ("moved", "更多/帮助"),
    ]


def test_a_sub_menu_with_another_name_is_renamed_and_its_buttons_stay() -> None:
    renamed = Button("其他", children=MORE.children)
    assert changes(Menu((MORE,)), Menu((renamed,))) == [("renamed", "其他")]


def test_conditional_menus_are_compared_by_their_rule() -> None:
    tagged = Rule((("tag_id", "2"),))
    before = Menu((BUY,), (Conditional(tagged, (BUY,)),))
    after = Menu((BUY,), (Conditional(tagged, (BUY, SELL)),))
    (change,) = diff(before, after)
    assert (change.kind, change.menu, change.path) == (ChangeKind.ADDED, "tag_id=2", ("卖出",))


@given(menus)
def test_a_menu_does_not_differ_from_itself(menu: Menu) -> None:
    assert diff(menu, menu) == ()


@given(menus, menus)
def test_every_button_is_accounted_for(before: Menu, after: Menu) -> None:
    told = diff(Menu(before.buttons), Menu(after.buttons))
    added = sum(change.kind is ChangeKind.ADDED for change in told)
    removed = sum(change.kind is ChangeKind.REMOVED for change in told)
    assert count(before) - removed == count(after) - added


@given(menus, menus)
def test_different_default_menus_have_a_difference(before: Menu, after: Menu) -> None:
    assert bool(diff(Menu(before.buttons), Menu(after.buttons))) == (
        before.buttons != after.buttons
    )


def count(menu: Menu) -> int:
    return sum(1 + len(button.children) for button in menu.buttons)
