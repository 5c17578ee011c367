"""Menus as plain JSON, for the control calls: leaves as create takes them, whoever made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.emulator.menu_sight import FetchedMenu
    from zhongkong.emulator.menu_state import Button, Buttons, MenuState
    from zhongkong.emulator.menus import MenuChange, Menus


def state(of: MenuState) -> dict[str, Any]:
    """`made_by` and `button` are null where there is no menu for everybody."""
    made_by = "api" if of.default else "console" if of.console else None
    return {
        "is_open": of.is_open,
        "is_shown": of.is_shown,
        "made_by": made_by,
        "button": _buttons(of.default or of.console or ()) or None,
        "conditional": [
            {"menuid": each.menuid, "matchrule": dict(each.rule), "button": _buttons(each.buttons)}
            for each in of.conditional
        ],
    }


def history(menus: Menus, after: int | None, count: int) -> dict[str, Any]:
    """With `after`: the oldest changes above it, for paging. Without: the newest ones."""
    matching = menus.changes_after(after or 0)
    page = matching[-count:] if after is None else matching[:count]
    return {
        "now": state(menus.state),
        "changes": [_change(each) for each in page],
        "left_off": len(matching) - len(page),
        "forgotten": menus.forgotten,
        "next": page[-1].seq if page else after or 0,
    }


def fetched(menu: FetchedMenu, state: MenuState, user: Any) -> dict[str, Any]:
    """`outdated`: WeChat would give this user another one by now."""
    return {
        "button": _buttons(menu.shown.buttons),
        "origin": menu.shown.origin,
        "menuid": menu.shown.menuid,
        "fetched_at": menu.at,
        "outdated": menu.shown != state.shown_to(user),
    }


def _change(of: MenuChange) -> dict[str, Any]:
    return {"seq": of.seq, "at": of.at, "by": of.by, "act": of.act, "after": state(of.after)}


def _buttons(buttons: Buttons) -> list[dict[str, Any]]:
    return [_button(each) for each in buttons]


def _button(button: Button) -> dict[str, Any]:
    if button.children:
        return {"name": button.name, "sub_button": _buttons(button.children)}
    leaf = {"type": button.kind, "name": button.name, **dict(button.fields)}
    return {**leaf, **articles(button.articles)}


def articles(of: Sequence[Any]) -> dict[str, Any]:
    """As a leaf of kind `news` holds them; nothing for other leaves."""
    return {"news_info": {"list": [dict(each) for each in of]}} if of else {}
