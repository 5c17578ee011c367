"""The default menu, and what users see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.endpoint import Endpoint, Visit
from zhongkong.emulator.menu_body import read_menu
from zhongkong.emulator.menu_buttons import Checker
from zhongkong.emulator.menu_views import articles
from zhongkong.emulator.refusal import OK, Payload, Refusal
from zhongkong.emulator.wire import Manner

if TYPE_CHECKING:
    from zhongkong.emulator.chance import Chance
    from zhongkong.emulator.menu_state import Button, Buttons, ConditionalMenu
    from zhongkong.emulator.parameters import Parameters

WITH_MENUS: Final = frozenset({AccountKind.SERVICE, AccountKind.VERIFIED, AccountKind.SANDBOX})
"""Kinds of accounts that may make menus by calls."""

_MEDIA_ID_LENGTH: Final = 64
_NAMED_ANEW: Final = {"img": "{}", "voice": "{}", "video": "http://mpvideo.qpic.cn/{}.mp4?dis_t=0"}
"""Console-made leaf → its `value`: a temporary media id, or the address of a download."""


def create(visit: Visit) -> Payload:
    account, rules = visit.recognised(), visit.platform.parameters
    if account.menu_rights == "none":
        raise Refusal(65319)
    body = read_menu(visit.request.body, rules)
    buttons = Checker(account=account, rules=rules).buttons(body.get("button"))
    account.menus.create(
        buttons,
        visit.now,
        keep_conditional=rules.create_keeps_conditional,
        opens=rules.create_opens_menu,
    )
    visit.carried_out("menu_created", str(account.menus.default_id))
    return OK


def get(visit: Visit) -> Payload:
    menus = visit.recognised().menus
    if menus.default is None:
        raise Refusal(46003)
    shown: Payload = {"menu": {"button": shown_buttons(menus.default)}}
    if menus.conditional:
        shown["menu"]["menuid"] = menus.default_id
        rules = visit.platform.parameters
        shown["conditionalmenu"] = [_conditional(each, rules) for each in menus.conditional[::-1]]
    return shown


def delete(visit: Visit) -> Payload:
    menus, rules = visit.recognised().menus, visit.platform.parameters
    if menus.default is None and rules.menu_delete_empty_code:
        raise Refusal(rules.menu_delete_empty_code)
    visit.carried_out("menu_deleted", str(menus.default_id))
    menus.delete(visit.now, takes_console=rules.menu_delete_takes_console)
    return OK


def current_selfmenu(visit: Visit) -> Payload:
    """The default menu, whoever made it; media of the console's have new names at each reading."""
    state, chance = visit.recognised().menus.state, visit.platform.chance
    buttons = state.default or state.console or ()
    return {
        "is_menu_open": int(state.is_shown),
        "selfmenu_info": {"button": [_self_button(each, chance) for each in buttons]},
    }


def shown_buttons(buttons: Buttons) -> list[Payload]:
    """As menu/get and trymatch show them: every button has a `sub_button`."""
    return [_button(each) for each in buttons]


def _button(button: Button) -> Payload:
    if button.children:
        return {"name": button.name, "sub_button": shown_buttons(button.children)}
    return {**_leaf(button), "sub_button": []}


def _self_button(button: Button, chance: Chance) -> Payload:
    if button.children:
        below = [_self_leaf(each, chance) for each in button.children]
        return {"name": button.name, "sub_button": {"list": below}}
    return _self_leaf(button, chance)


def _self_leaf(button: Button, chance: Chance) -> Payload:
    shown = _leaf(button)
    if button.kind in _NAMED_ANEW:
        shown["value"] = _NAMED_ANEW[button.kind].format(chance.text(_MEDIA_ID_LENGTH))
    return {**shown, **articles(button.articles)}


def _leaf(button: Button) -> Payload:
    return {"type": button.kind, "name": button.name, **dict(button.fields)}


def _conditional(menu: ConditionalMenu, rules: Parameters) -> Payload:
    rule: dict[str, Any] = {
        "group_id" if name == "tag_id" else name: _rule_value(value, rules)
        for name, value in menu.rule.items()
    }
    return {"button": shown_buttons(menu.buttons), "matchrule": rule, "menuid": menu.menuid}


def _rule_value(value: str, rules: Parameters) -> str | int:
    return int(value) if rules.rule_values == "number" and value.isdecimal() else value


ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/menu/create",
        method="POST",
        credential="token",
        answer=create,
        kinds=WITH_MENUS,
    ),
    Endpoint(
        path="/cgi-bin/menu/get", method="GET", credential="token", answer=get, kinds=WITH_MENUS
    ),
    Endpoint(
        path="/cgi-bin/menu/delete",
        method="GET",
        credential="token",
        answer=delete,
        kinds=WITH_MENUS,
    ),
    Endpoint(
        path="/cgi-bin/get_current_selfmenu_info",
        method="GET",
        credential="token",
        answer=current_selfmenu,
        manner=Manner(escaped_slashes=True),
    ),
)
