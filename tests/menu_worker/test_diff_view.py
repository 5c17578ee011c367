"""How plans read."""

from __future__ import annotations

import io

import pytest

from menu_worker.commands.printing import show
from menu_worker.diff_view import CONSOLE, DELETES_ALL, REORDERED, counts_text, document, rendered
from menu_worker.guards import Guard, Refused
from menu_worker.menu import NO_MENU, Button, Conditional, Live, Menu, Rule
from menu_worker.plan import make_plan
from menu_worker.result_words import SWITCHED_OFF, calls_text

A = Button("甲", "click", (("key", "A"),))
B = Button("乙", "click", (("key", "B"),))
TAG = Rule((("tag_id", "2"),))
PHONE = Rule((("client_platform_type", "1"),))


def lines(live: Live, desired: Menu, refused: Refused | None = None) -> list[str]:
    return [line.plain for line in rendered(make_plan("shop", live, desired), live, refused)]


def live(*buttons: Button, conditional: tuple[Conditional, ...] = ()) -> Live:
    ids = tuple(str(number) for number in range(len(conditional)))
    return Live(Menu(buttons, conditional), ids)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ((A,), (A, B), "    + 乙  B"),
        ((A, B), (A,), "    - 乙  B"),
        ((A,), (Button("丙", "click", (("key", "A"),)),), "    ~ 丙  was called 甲"),
        ((A,), (Button("甲", "click", (("key", "Z"),)),), "    ~ 甲  A → Z"),
        ((A, B), (B, A), "    → 乙  from 2 to 1"),
    ],
    ids=["added", "removed", "renamed", "retargeted", "moved"],
)
def test_each_change_has_its_mark(
    before: tuple[Button, ...], after: tuple[Button, ...], line: str
) -> None:
    assert line in lines(live(*before), Menu(after))


def test_a_changed_type_says_from_what_to_what() -> None:
    page = Button("甲", "view", (("url", "http://a.example/"),))
    assert "    ~ 甲  click → view" in lines(live(A), Menu((page,)))


def test_conditional_menus_are_named_by_their_rule() -> None:
    shown = lines(live(A), Menu((A,), (Conditional(TAG, (B,)),)))
    assert shown[1:3] == ["  conditional menu for tag_id=2", "    + 乙  B"]


def test_another_order_of_conditional_menus_is_told_in_words() -> None:
    one, two = Conditional(TAG, (A,)), Conditional(PHONE, (B,))
    shown = lines(live(A, conditional=(one, two)), Menu((A,), (two, one)))
    assert f"  {REORDERED}" in shown
    assert "  no button changed; calls: addconditional, delconditional" in shown


def test_what_an_apply_would_overwrite_or_delete_is_said() -> None:
    console = Live(NO_MENU, console=(Button("公告", "text"),), is_open=False)
    shown = lines(console, Menu((A,)))
    assert f"  {CONSOLE}" in shown
    assert f"  {SWITCHED_OFF}" in shown
    assert f"  {DELETES_ALL}" in lines(live(A), NO_MENU)


def test_where_there_is_no_menu_none_is_called_switched_off() -> None:
    assert f"  {SWITCHED_OFF}" not in lines(Live(NO_MENU, is_open=False), Menu((A,)))


def test_a_refusal_ends_the_plan() -> None:
    refused = Refused(Guard.TOO_MUCH_REMOVED, "too much")
    assert lines(live(A), Menu((B,)), refused)[-1] == "  apply would refuse: too much"


def test_nothing_to_do_is_said_in_one_line() -> None:
    assert lines(live(A), Menu((A,))) == ["shop", "  no change"]


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("screen", "coloured"), [(_Screen(), True), (io.StringIO(), False)])
def test_colours_are_for_terminals_alone(
    monkeypatch: pytest.MonkeyPatch, screen: io.StringIO, coloured: bool
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", screen)
    show(rendered(make_plan("shop", live(A), Menu((B,)))))
    assert "乙  B" in screen.getvalue()
    assert ("\x1b[" in screen.getvalue()) is coloured


def test_the_document_holds_the_plan_and_what_stands_beside_it() -> None:
    found = live(A)
    plan = make_plan("shop", found, Menu((B,)))
    shown = document(plan, found, Refused(Guard.EMPTY_DESIRED, "empty"))
    assert shown["live"] == found.fingerprint
    assert shown["desired"] == Menu((B,)).fingerprint
    assert shown["refused"] == {"guard": "empty_desired", "detail": "empty"}
    assert shown["switched_off"] is False
    assert [step["step"] for step in shown["steps"]] == ["create"]


def test_changes_and_calls_are_counted() -> None:
    menus = tuple(Conditional(Rule((("tag_id", str(n)),)), (A,)) for n in range(2))
    plan = make_plan("shop", live(A), Menu((B,), menus))
    assert counts_text(plan.changes) == "3 added, 1 removed"
    assert calls_text(plan.steps) == "create, 2 × addconditional"
