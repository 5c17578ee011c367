"""Menus for some users only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.endpoint import Endpoint, Visit
from zhongkong.emulator.endpoints.menu import WITH_MENUS, shown_buttons
from zhongkong.emulator.menu_body import read_menu
from zhongkong.emulator.menu_buttons import Checker
from zhongkong.emulator.menu_rules import refuse_excess, rule_of
from zhongkong.emulator.refusal import OK, Payload, Refusal

if TYPE_CHECKING:
    from zhongkong.emulator.account import AccountState

_USER_ID: Final = re.compile(r"[\w-]{6,128}", re.ASCII)


def add(visit: Visit) -> Payload:
    account, rules = _entitled(visit), visit.platform.parameters
    body = read_menu(visit.request.body, rules)
    sent = body.get("button")
    if sent == []:
        raise Refusal(65307)
    buttons = Checker(account=account, rules=rules, no_kind=65308).buttons(sent)
    if account.menus.default is None:
        raise Refusal(65303)
    rule = rule_of(body.get("matchrule"), rules)
    refuse_excess(account.menus, buttons, rule, rules)
    menuid = str(account.menus.add(buttons, rule, visit.now))
    visit.carried_out("conditional_menu_added", menuid)
    return {"menuid": menuid}


def delete(visit: Visit) -> Payload:
    account = _entitled(visit)
    menuid = str(visit.request.json().get("menuid", ""))
    if not menuid.isdecimal() or not account.menus.remove(int(menuid[:20]), visit.now):
        raise Refusal(65301)
    visit.carried_out("conditional_menu_deleted", menuid)
    return OK


def try_match(visit: Visit) -> Payload:
    account = _entitled(visit)
    user_id = visit.request.json().get("user_id")
    if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
        raise Refusal(40132)
    user = account.users.known_as(user_id)
    if user is None:
        raise Refusal(65302)
    if not user.profile.following:
        raise Refusal(65315)
    special = account.menus.state.matching(user.profile)
    buttons = special.buttons if special else account.menus.default
    if buttons is None:
        raise Refusal(46003)
    shown = {"button": shown_buttons(buttons)}
    return shown if visit.platform.parameters.trymatch_shape == "button" else {"menu": shown}


def _entitled(visit: Visit) -> AccountState:
    account = visit.recognised()
    if account.kind is AccountKind.SERVICE:
        raise Refusal(65306)
    if account.menu_rights != "full":
        raise Refusal(65309 if account.menu_rights == "no_conditional" else 65319)
    return account


ENDPOINTS: Final = tuple(
    Endpoint(
        path=f"/cgi-bin/menu/{name}",
        method="POST",
        credential="token",
        answer=answer,
        kinds=WITH_MENUS,
    )
    for name, answer in (
        ("addconditional", add),
        ("delconditional", delete),
        ("trymatch", try_match),
    )
)
