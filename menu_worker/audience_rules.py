"""PURE: what is wrong with conditional menus: whom they are for, and what they share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from menu_worker.button_rules import NO_OBJECT, check_buttons, leaves
from menu_worker.findings import did_you_mean, shown
from menu_worker.leaf_rules import host_of
from menu_worker.limits import CONDITIONAL_DOMAINS, PHONES, TAG_DIGITS
from menu_worker.menu import FIELDS, RULE_FIELDS, WITHDRAWN_RULE_FIELDS
from menu_worker.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from menu_worker.findings import At, Finding

NO_DEFAULT: Final = 65303
EMPTY_RULE: Final = 65304
AT_LIMIT: Final = 65305
NO_MENU: Final = 65307
NO_TYPE: Final = 65308
DOMAINS: Final = 65316
WITHDRAWN: Final = 65320
BAD_VALUE: Final = 40035

_TAG: Final = re.compile(rf"[0-9]{{1,{TAG_DIGITS}}}")
_ALIAS: Final = "group_id"
"""menu/get's name for tag_id."""


def check_conditional(menu: At) -> Iterator[Finding]:
    """One conditional menu by itself."""
    if not isinstance(menu.value, dict):
        what = f"a conditional menu has a `matchrule` and a `button`, not {shown(menu.value)}"
        yield menu.error(what, NO_OBJECT)
        return
    for name in menu.value:
        if name not in {"matchrule", "button", "menuid"}:
            hint = did_you_mean(name, ("matchrule", "button"))
            what = f"`{shown(name)[1:-1]}` is unknown in a conditional menu, and left out{hint}"
            yield menu.get(name).warning(what)
    yield from check_rule(menu.get("matchrule"))
    buttons = menu.get("button")
    if buttons.value == []:
        yield buttons.error("a conditional menu has at least one button", NO_MENU)
    else:
        yield from check_buttons(buttons, no_type=NO_TYPE)


def check_rule(rule: At) -> Iterator[Finding]:
    """Whom a menu is for. Numbers are fine: ids are written so in WeChat's own samples."""
    if not isinstance(rule.value, dict):
        what = "a conditional menu needs a `matchrule`, like {tag_id: 2}"
        yield rule.error(what, EMPTY_RULE)
        return
    given = [rule.get(name) for name in rule.value]
    told = [at for at in given if not at.is_empty and not _is_any_sex(at)]
    if not any(at.path[-1] in (*RULE_FIELDS, _ALIAS, *WITHDRAWN_RULE_FIELDS) for at in told):
        what = "`matchrule` is empty: say whom the menu is for, like {tag_id: 2}"
        yield rule.error(what, EMPTY_RULE)
    for at in told:
        yield from _check_condition(at)
    tag, alias = rule.get("tag_id"), rule.get(_ALIAS)
    if tag.value is not None and alias.value is not None and str(tag.value) != str(alias.value):
        what = "`group_id` is another name of `tag_id`, and here they differ; keep one"
        yield alias.error(what, EMPTY_RULE)


def check_together(menus: Sequence[At], default: At) -> Iterator[Finding]:
    """The conditional menus of one account beside each other and beside the default menu."""
    if menus and not default.value:
        what = "conditional menus need a default menu: fill `button`"
        yield menus[0].error(what, NO_DEFAULT)
    yield from _same_rules(menus)
    yield from _many_domains(menus)


def rule_fields(rule: At) -> tuple[tuple[str, str], ...]:
    """A rule as it will be compared: sorted, as texts, none empty."""
    if not isinstance(rule.value, dict):
        return ()
    given = [rule.get(name) for name in rule.value]
    texts = {
        "tag_id" if at.path[-1] == _ALIAS else str(at.path[-1]): text_of(at)
        for at in given
        if not at.is_empty and not _is_any_sex(at)
    }
    return tuple(sorted((name, text) for name, text in texts.items() if text is not None))


def _is_any_sex(at: At) -> bool:
    return at.path[-1] == "sex" and str(at.value) == "0"


def _check_condition(at: At) -> Iterator[Finding]:
    name, value = str(at.path[-1]), at.value
    known = (*RULE_FIELDS, _ALIAS)
    if name not in known and name not in WITHDRAWN_RULE_FIELDS:
        # Left out, the menu would be for more users than meant.
        yield at.error(f"`{shown(name)[1:-1]}` is no condition{did_you_mean(name, known)}")
    elif isinstance(value, bool | dict | list):
        yield at.error(f"`{name}` is a number or a text, not {shown(value)}", NO_OBJECT)
    elif name in WITHDRAWN_RULE_FIELDS:
        what = f"WeChat has withdrawn `{name}` for privacy's sake; use a tag of your users"
        yield at.error(what, WITHDRAWN)
    elif name == "client_platform_type":
        if str(value) not in PHONES:
            what = f"`{name}` is 1 (iOS), 2 (Android) or 3 (others), not {shown(value)}"
            yield at.error(what, BAD_VALUE)
    elif not _TAG.fullmatch(str(value)):
        what = f"`{name}` is the number of a tag, not {shown(value)}; tags/get lists them"
        yield at.error(what, BAD_VALUE)


def _same_rules(menus: Sequence[At]) -> Iterator[Finding]:
    seen: set[tuple[tuple[str, str], ...]] = set()
    for menu in menus:
        rule = menu.get("matchrule")
        fields = rule_fields(rule)
        if fields and fields in seen:
            what = "an earlier menu has the same rule: only the last of them is ever seen"
            yield rule.warning(what, AT_LIMIT)
        seen.add(fields)


def _many_domains(menus: Sequence[At]) -> Iterator[Finding]:
    hosts: list[str] = []
    for menu in menus:
        for leaf in leaves(menu.get("button")):
            at = leaf.get("url")
            kind = (text_of(leaf.get("type")) or "").lower()
            host = host_of(text_of(at) or "") if "url" in FIELDS.get(kind, ()) else None
            if host is None or host in hosts:
                continue
            hosts.append(host)
            if len(hosts) == CONDITIONAL_DOMAINS + 1:
                names = ", ".join(shown(each)[1:-1] for each in hosts)
                yield at.error(
                    f"all conditional menus together lead to at most {CONDITIONAL_DOMAINS} "
                    f"domains, and this is one more: {names}",
                    DOMAINS,
                )
