"""PURE: what a desired file asserts: which user sees which of its menus.

Whether it is so, is asked after an apply (verification).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from menu_worker.audience_rules import rule_fields
from menu_worker.findings import did_you_mean, shown
from menu_worker.menu import Rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from menu_worker.findings import At, Finding

DEFAULT: Final = "default"
AT_MOST: Final = 100
"""Each is a call of menu/trymatch after every apply."""

BAD_USER: Final = 40132
_USER: Final = re.compile(r"[A-Za-z0-9_-]{6,128}")
_FIELDS: Final = ("user", "sees")


@dataclass(frozen=True, slots=True)
class Assertion:
    """`user` (an openid or a WeChat id) sees the menu of `rule`; None means the default one."""

    user: str
    rule: Rule | None


def check_assertions(at: At, rules: Collection[Rule]) -> Iterator[Finding]:
    """What is wrong with `assert`; `rules` are those of the file's conditional menus."""
    if at.value is None:
        return
    if not isinstance(at.value, list):
        yield at.error(f"`assert` is a list like [{{user: oABC…, sees: default}}], {_not(at)}")
        return
    if len(at.value) > AT_MOST:
        what = f"`assert` has at most {AT_MOST} entries, each costs a call after every apply"
        yield at.error(what)
    for each in at.items():
        yield from _check(each, rules)


def assertions_of(at: At) -> tuple[Assertion, ...]:
    """Those of a file with nothing wrong in it."""
    return tuple(Assertion(each.value["user"], _rule(each.get("sees"))) for each in at.items())


def _check(at: At, rules: Collection[Rule]) -> Iterator[Finding]:
    if not isinstance(at.value, dict):
        yield at.error(f"an assertion has a `user` and what it `sees`, {_not(at)}")
        return
    for name in at.value:
        if name not in _FIELDS:
            hint = did_you_mean(name, _FIELDS)
            yield at.get(name).error(f"`{shown(name)[1:-1]}` is unknown here{hint}")
    user, sees = at.get("user"), at.get("sees")
    if not isinstance(user.value, str) or not _USER.fullmatch(user.value):
        what = f"`user` is an openid or a WeChat id, {_not(user)}"
        yield user.error(what, BAD_USER)
    if isinstance(sees.value, dict):
        if _rule(sees) not in rules:
            yield sees.error("no conditional menu of this file has this rule")
    elif sees.value != DEFAULT:
        yield sees.error(f"`sees` is default or a rule like {{tag_id: 2}}, {_not(sees)}")


def _rule(sees: At) -> Rule | None:
    return Rule(rule_fields(sees)) if isinstance(sees.value, dict) else None


def _not(at: At) -> str:
    return f"not {shown(at.value)}"
