"""The rule of a conditional menu, and what WeChat refuses about it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.menu_buttons import host_of
from zhongkong.emulator.menu_state import WITHDRAWN
from zhongkong.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zhongkong.emulator.menu_state import Buttons
    from zhongkong.emulator.menus import Menus
    from zhongkong.emulator.parameters import Parameters

_FORMS: Final = {"tag_id": re.compile(r"\d{1,18}"), "client_platform_type": re.compile("[123]")}
_DOMAINS_AT_MOST: Final = 3


def rule_of(sent: object, rules: Parameters) -> dict[str, str]:
    """As it will be kept: texts, none empty. Raises Refusal: 65304, 65320, 65310, 65311, 40035."""
    rule = _texts(sent if isinstance(sent, dict) else {})
    if not rule:
        raise Refusal(65304)
    if rules.withdrawn_rule_fields == "refused" and not WITHDRAWN.isdisjoint(rule):
        raise Refusal(65320)
    if "country" not in rule and ("province" in rule or "city" in rule):
        raise Refusal(65310)
    if "province" not in rule and "city" in rule:
        raise Refusal(65311)
    for name, form in _FORMS.items():
        if name in rule and not form.fullmatch(rule[name]):
            raise Refusal(40035)
    return rule


def refuse_excess(menus: Menus, buttons: Buttons, rule: dict[str, str], rules: Parameters) -> None:
    """One more menu. Raises Refusal: 65316, 65305."""
    everywhere = [buttons, *(each.buttons for each in menus.conditional)]
    if len(set(_domains(everywhere))) > _DOMAINS_AT_MOST:
        raise Refusal(65316)
    taken = rules.conditional_rules_differ and any(each.rule == rule for each in menus.conditional)
    if taken or len(menus.conditional) >= rules.conditional_at_most:
        raise Refusal(65305)


def _texts(sent: dict[str, Any]) -> dict[str, str]:
    rule: dict[str, str] = {}
    for name in (*_FORMS, *sorted(WITHDRAWN)):
        value = sent.get(name)
        if name == "tag_id" and value is None:
            value = sent.get("group_id")
        if isinstance(value, bool | list | dict):
            raise Refusal(47001)
        text = "" if value is None else str(value)
        if text and not (name == "sex" and text == "0"):
            rule[name] = text
    return rule


def _domains(menus: Iterable[Buttons]) -> Iterable[str]:
    for buttons in menus:
        for button in buttons:
            for leaf in button.leaves():
                host = host_of(leaf.field("url"))
                if host is not None:
                    yield host
