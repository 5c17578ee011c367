"""Plans lead to what is desired, with as few writes as there can be, and never through nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from menu_worker.menu import Button, Conditional, Live, Menu, Rule
from menu_worker.plan import make_plan
from menu_worker.steps import (
    AddConditional,
    ConditionalStrategy,
    CreateDefault,
    DeleteAll,
    DeleteConditional,
    Plan,
    Step,
)
from tests.menu_worker.menus import menus

BUY = (Button("买入", "click", (("key", "BUY_IN"),)),)
SELL = (Button("卖出", "click", (("key", "SELL"),)),)
ONE = Conditional(Rule((("tag_id", "1"),)), BUY)
TWO = Conditional(Rule((("tag_id", "2"),)), BUY)
THREE = Conditional(Rule((("tag_id", "3"),)), BUY)


def live(menu: Menu, *, console: tuple[Button, ...] = ()) -> Live:
    ids = tuple(str(100 + number) for number in range(len(menu.conditional)))
    return Live(menu, ids, console)


def plan(before: Menu, after: Menu, strategy: str = "add_first") -> Plan:
    return make_plan("shop", live(before), after, strategy=ConditionalStrategy(strategy))


def carry_out(state: Live, step: Step) -> Live:
    """What WeChat does with one step."""
    menu, ids = state.menu, state.ids
    match step:
        case CreateDefault():
            return Live(Menu(step.buttons, menu.conditional), ids)
        case AddConditional():
            assert menu.buttons, "WeChat wants a default menu first"
            grown = (*menu.conditional, step.conditional)
            return Live(Menu(menu.buttons, grown), (*ids, str(200 + len(grown))))
        case DeleteConditional():
            place = ids.index(step.menuid)
            left = menu.conditional[:place] + menu.conditional[place + 1 :]
            return Live(Menu(menu.buttons, left), ids[:place] + ids[place + 1 :])
        case DeleteAll():
            return Live(Menu())


@given(menus, menus, st.sampled_from(ConditionalStrategy))
def test_every_plan_ends_in_what_is_desired(
    before: Menu, after: Menu, strategy: ConditionalStrategy
) -> None:
    state = live(before)
    for step in make_plan("shop", state, after, strategy=strategy).steps:
        state = carry_out(state, step)
    assert state.menu == after


@given(menus)
def test_what_is_equal_takes_no_step(menu: Menu) -> None:
    assert plan(menu, menu).is_empty


@given(menus, menus)
def test_nobody_is_without_a_menu_at_any_step(before: Menu, after: Menu) -> None:
    state = live(before)
    for step in plan(before, after).steps:
        state = carry_out(state, step)
        assert state.menu.buttons


@given(menus, menus)
def test_whoever_had_a_menu_of_their_own_before_and_after_has_one_at_every_step(
    before: Menu, after: Menu
) -> None:
    lasting = {each.rule for each in before.conditional} & {each.rule for each in after.conditional}
    state = live(before)
    for step in plan(before, after).steps:
        state = carry_out(state, step)
        assert lasting <= {each.rule for each in state.menu.conditional}


def test_a_changed_default_menu_is_replaced_and_never_deleted() -> None:
    assert plan(Menu(BUY), Menu(SELL)).steps == (CreateDefault(SELL),)


def test_a_conditional_menu_at_the_end_is_just_added() -> None:
    steps = plan(Menu(BUY, (ONE,)), Menu(BUY, (ONE, TWO))).steps
    assert steps == (AddConditional(TWO),)


def test_one_taken_from_the_front_is_just_deleted() -> None:
    steps = plan(Menu(BUY, (ONE, TWO)), Menu(BUY, (TWO,))).steps
    assert steps == (DeleteConditional("100", ONE),)


def test_one_put_in_front_makes_all_behind_it_anew_since_the_newest_wins() -> None:
    steps = plan(Menu(BUY, (TWO,)), Menu(BUY, (ONE, TWO))).steps
    assert steps == (AddConditional(ONE), AddConditional(TWO), DeleteConditional("100", TWO))


def test_delete_first_deletes_first() -> None:
    steps = plan(Menu(BUY, (TWO,)), Menu(BUY, (ONE,)), "delete_first").steps
    assert steps == (DeleteConditional("100", TWO), AddConditional(ONE))


@pytest.mark.parametrize("before", [Menu(BUY), Menu(BUY, (ONE,))])
def test_an_empty_desired_menu_deletes_everything_at_once(before: Menu) -> None:
    assert plan(before, Menu()).steps == (DeleteAll(),)


def test_where_nothing_is_and_nothing_is_wanted_nothing_happens() -> None:
    assert plan(Menu(), Menu()).is_empty


def test_a_menu_made_in_the_console_is_replaced_though_it_looks_the_same() -> None:
    made = make_plan("shop", live(Menu(), console=BUY), Menu(BUY))
    assert made.steps == (CreateDefault(BUY),)
    assert made.replaces_console_menu
