"""Plans that nobody meant are refused; those that only look large are not."""

from __future__ import annotations

from hypothesis import given

from menu_worker.guards import Guard, Policy, Refused, refuse, refuse_stale
from menu_worker.menu import Button, Conditional, Live, Menu, Rule
from menu_worker.plan import make_plan
from tests.menu_worker.menus import menus


def keys(*names: str) -> tuple[Button, ...]:
    return tuple(Button(name, "click", (("key", name),)) for name in names)


def full(count: int = 3) -> Menu:
    return Menu(
        tuple(
            Button(f"m{number}", children=keys(*(f"{number}{n}" for n in range(5))))
            for number in range(count)
        )
    )


def judge(
    desired: Menu,
    *,
    last: Menu | None = None,
    live: Menu | None = None,
    policy: Policy | None = None,
) -> Refused | None:
    menu = live or full()
    ids = tuple(map(str, range(len(menu.conditional))))
    return refuse(make_plan("shop", Live(menu, ids), desired), policy or Policy(), last)


def guard(refused: Refused | None) -> Guard | None:
    return None if refused is None else refused.guard


def test_an_empty_desired_menu_deletes_nothing_by_itself() -> None:
    assert guard(judge(Menu())) is Guard.EMPTY_DESIRED


def test_force_alone_deletes_nothing_either() -> None:
    assert guard(judge(Menu(), policy=Policy(force=True))) is Guard.EMPTY_DESIRED


def test_an_empty_desired_menu_deletes_where_that_is_allowed() -> None:
    assert judge(Menu(), policy=Policy(allow_delete=True)) is None


def test_a_first_apply_is_never_too_large() -> None:
    assert judge(Menu(keys("a"))) is None


def test_a_change_that_drops_most_of_the_last_verified_menu_is_refused() -> None:
    refused = judge(Menu(keys("a")), last=full())
    assert guard(refused) is Guard.TOO_MUCH_REMOVED
    assert refused is not None
    assert "15 of the 15" in refused.detail


def test_force_lets_it_pass() -> None:
    assert judge(Menu(keys("a")), last=full(), policy=Policy(force=True)) is None


def test_a_small_menu_may_change_altogether() -> None:
    assert judge(Menu(keys("x")), last=Menu(keys("a", "b", "c")), live=Menu(keys("a"))) is None


def test_buttons_that_only_moved_or_got_another_name_are_not_removed() -> None:
    renamed = Menu(
        tuple(
            Button(
                f"n{number}",
                children=tuple(Button(f"x{b.name}", b.type, b.fields) for b in parent.children),
            )
            for number, parent in enumerate(reversed(full().buttons))
        )
    )
    assert judge(renamed, last=full()) is None


def test_the_way_back_to_the_last_verified_menu_is_open_however_far_somebody_went() -> None:
    assert judge(full(), last=full(), live=Menu(keys("a"))) is None


def test_conditional_menus_count_too() -> None:
    tagged = Menu(keys("a"), (Conditional(Rule((("tag_id", "1"),)), full().buttons),))
    assert guard(judge(Menu(keys("a")), last=tagged, live=tagged)) is Guard.TOO_MUCH_REMOVED


@given(menus)
def test_what_changes_nothing_is_never_refused(menu: Menu) -> None:
    live = Live(menu, tuple(str(n) for n in range(len(menu.conditional))))
    assert refuse(make_plan("shop", live, menu), Policy(max_removed=0), menu) is None


def test_a_plan_for_another_live_or_desired_menu_is_stale() -> None:
    live, desired = Live(full()), Menu(keys("a"))
    plan = make_plan("shop", live, desired)
    made = plan.live_fingerprint, plan.desired_fingerprint
    assert refuse_stale(*made, live, desired) is None
    assert guard(refuse_stale(*made, Live(desired), desired)) is Guard.STALE_PLAN
    assert guard(refuse_stale(*made, live, full())) is Guard.STALE_PLAN
