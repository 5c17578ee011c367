"""PURE: what is wrong with the buttons of one menu: how many, how deep, what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from menu_worker.findings import At, shown
from menu_worker.label_width import width
from menu_worker.leaf_rules import TYPED, check_leaf, check_names
from menu_worker.limits import SUB, SUB_BUTTONS, TOP, TOP_BUTTONS
from menu_worker.menu import EVENT_TYPES
from menu_worker.texts import check_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from menu_worker.findings import Finding
    from menu_worker.limits import Tier

NO_BUTTONS: Final = 40016
NO_OBJECT: Final = 47001


def check_buttons(
    buttons: At, *, no_type: int | None = None, shows_lists: bool = False
) -> Iterator[Finding]:
    """All of one menu that has at least one button. `shows_lists`: `sub_button.list` is no news."""
    if not isinstance(buttons.value, list):
        name = buttons.path[-1] if buttons.path else "button"
        if buttons.value is None:
            what = f"`{name}` is missing: a menu has 1 to {TOP_BUTTONS} buttons"
        else:
            what = f"`{name}` is a list of 1 to {TOP_BUTTONS} buttons, not {shown(buttons.value)}"
        yield buttons.error(what, NO_BUTTONS)
        return
    if len(buttons.value) > TOP_BUTTONS:
        what = f"a menu has at most {TOP_BUTTONS} buttons, and here are {len(buttons.value)}"
        yield buttons.error(what, NO_BUTTONS)
    for each in buttons.items():
        yield from _check_button(each, TOP, no_type, shows_lists=shows_lists)
    yield from _same_keys(buttons)


def children_of(button: At) -> At:
    """The list of a button's sub-buttons, in either of its shapes."""
    children = button.get("sub_button")
    return children.get("list") if isinstance(children.value, dict) else children


def leaves(buttons: At) -> Iterator[At]:
    """The buttons that do something, wherever they stand."""
    for each in buttons.items():
        children = list(children_of(each).items())
        yield from children or [each]


def _check_button(
    button: At, tier: Tier, no_type: int | None, *, shows_lists: bool
) -> Iterator[Finding]:
    if not isinstance(button.value, dict):
        what = f"a button is a mapping with a name and a type, not {shown(button.value)}"
        yield button.error(what, NO_OBJECT)
        return
    yield from check_names(button)
    yield from check_text(button.get("name"), tier.name_bytes, tier.name)
    yield from _check_width(button.get("name"), tier)
    yield from _check_children_shape(button, tier, shows_lists=shows_lists)
    children = children_of(button)
    if not isinstance(children.value, list) or not children.value:
        yield from check_leaf(button, tier, no_type)
    elif tier is SUB:
        what = "menus have two levels, and this would be a third; move it up"
        yield button.get("sub_button").error(what, tier.children)
    else:
        yield from _check_parent(button, children, no_type, shows_lists=shows_lists)


def _check_parent(
    button: At, children: At, no_type: int | None, *, shows_lists: bool
) -> Iterator[Finding]:
    if len(children.value) > SUB_BUTTONS:
        what = f"a sub-menu has at most {SUB_BUTTONS} buttons, and here are {len(children.value)}"
        yield children.error(what, TOP.children)
    for name in button.value:
        at = button.get(name)
        if (name == "type" or name in TYPED) and not at.is_empty:
            yield at.warning(f"a button with sub-buttons only opens them; its `{name}` is left out")
    for each in children.items():
        yield from _check_button(each, SUB, no_type, shows_lists=shows_lists)


def _check_children_shape(button: At, tier: Tier, *, shows_lists: bool) -> Iterator[Finding]:
    at = button.get("sub_button")
    if at.value is None or isinstance(at.value, list):
        return
    listed = at.get("list").value
    if (
        isinstance(at.value, dict)
        and at.value.keys() <= {"list"}
        and isinstance(listed or [], list)
    ):
        if not shows_lists:
            what = "taken as get_current_selfmenu_info shows it; write the list itself"
            yield at.warning(what, tier.children)
    else:
        what = f"`sub_button` is a list of 1 to {SUB_BUTTONS} buttons, not {shown(at.value)}"
        yield at.error(what, tier.children)


def _check_width(at: At, tier: Tier) -> Iterator[Finding]:
    name = text_of(at)
    if name is not None and width(name) > tier.shown:
        yield at.warning(
            f"phones show about {tier.shown} Chinese characters (or {tier.shown * 2} Latin letters)"
            f" of a name here and cut {shown(name)}"
        )


def _same_keys(buttons: At) -> Iterator[Finding]:
    first: dict[tuple[str, str], At] = {}
    for leaf in leaves(buttons):
        kind, key = text_of(leaf.get("type")), text_of(leaf.get("key"))
        if kind is None or key is None or kind.lower() not in EVENT_TYPES:
            continue
        before = first.setdefault((kind.lower(), key), leaf)
        if before is not leaf:
            name = shown(before.get("name").value)
            yield leaf.get("key").warning(
                f"the button {name} has the key {shown(key)} too: their events can't be told apart"
            )
