"""PURE: the shapes in which WeChat takes and shows menus, made into the normal form.

menu/create takes one shape, menu/get shows another, get_current_selfmenu_info a third. Nothing is
judged here: what a shape holds too much is left out, what it lacks is empty.
Source: WeChat's custom menu documentation, and what its answers have been seen to look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from menu_worker.menu import (
    CONSOLE_TYPES,
    FIELDS,
    NO_MENU,
    Button,
    Conditional,
    Live,
    Menu,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CONSOLE_FIELDS: Final = ("value",)
_KNOWN: Final = {
    "type",
    "name",
    "sub_button",
    "news_info",
    *_CONSOLE_FIELDS,
    *(field for fields in FIELDS.values() for field in fields),
}
_RULE_NAMES: Final = {"group_id": "tag_id"}
"""menu/get's name for a tag → the one under which it is sent."""

_NO_SEX: Final = ("sex", "0")


def of_desired(document: Mapping[str, Any]) -> Menu:
    """The menu of a desired document: `button`, and `conditional` in order of creation."""
    return Menu(
        _buttons(document.get("button")),
        tuple(_conditional(each) for each in _list(document.get("conditional"))),
    )


def live_of(got: Mapping[str, Any] | None, shown: Mapping[str, Any] | None = None) -> Live:
    """What is live, from menu/get's answer (None for 46003) and get_current_selfmenu_info's.

    The second is needed where the first has nothing, and tells whether the menu is switched on.
    """
    is_open = shown is None or str(shown.get("is_menu_open", 1)) != "0"
    if got is None:
        console = _shown_buttons(shown)
        # Where there is no menu, none is switched off.
        return Live(NO_MENU, console=console, is_open=is_open or not console)
    default = _dict(got.get("menu"))
    # Listed newest first; the order of creation is the one that decides.
    listed = [_dict(each) for each in reversed(_list(got.get("conditionalmenu")))]
    return Live(
        Menu(_buttons(default.get("button")), tuple(_conditional(each) for each in listed)),
        ids=tuple(str(each.get("menuid", "")) for each in listed),
        is_open=is_open,
        ignored=tuple(sorted(_ignored(default, listed))),
    )


def matched_buttons(answer: Mapping[str, Any]) -> tuple[Button, ...]:
    """What menu/trymatch shows: `button` at the top or inside `menu`, both have been seen."""
    inner = answer.get("menu")
    return _buttons((inner if isinstance(inner, dict) else answer).get("button"))


def _shown_buttons(shown: Mapping[str, Any] | None) -> tuple[Button, ...]:
    return _buttons(_dict((shown or {}).get("selfmenu_info")).get("button"))


def _conditional(document: Any) -> Conditional:
    fields = _dict(document)
    return Conditional(_rule(fields.get("matchrule")), _buttons(fields.get("button")))


def _rule(document: Any) -> Rule:
    named = {_RULE_NAMES.get(name, name): _text(value) for name, value in _dict(document).items()}
    return Rule(tuple(sorted(pair for pair in named.items() if pair[1] and pair != _NO_SEX)))


def _buttons(document: Any) -> tuple[Button, ...]:
    return tuple(_button(_dict(each)) for each in _list(document))


def _button(fields: Mapping[str, Any]) -> Button:
    name = _text(fields.get("name"))
    children = fields.get("sub_button")
    if isinstance(children, dict):
        children = children.get("list")
    if _list(children):
        return Button(name, children=_buttons(children))
    kind = _text(fields.get("type")).lower()
    return Button(name, kind, _fields(kind, fields))


def _fields(kind: str, fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    names = _CONSOLE_FIELDS if kind in CONSOLE_TYPES else FIELDS.get(kind, ())
    found = ((name, _text(fields.get(name))) for name in names)
    return tuple(pair for pair in found if pair[1])


def _ignored(default: Mapping[str, Any], conditional: Iterable[Mapping[str, Any]]) -> set[str]:
    """Names that WeChat shows and we don't know: reported, never compared."""
    found: set[str] = set()
    waiting = [*_list(default.get("button"))]
    for each in conditional:
        waiting += _list(each.get("button"))
    while waiting:
        button = _dict(waiting.pop())
        found |= {str(name) for name in button.keys() - _KNOWN}
        children = button.get("sub_button")
        waiting += _list(_dict(children).get("list") if isinstance(children, dict) else children)
    return found


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    return str(value)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
