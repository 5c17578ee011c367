"""PURE: what a request about dead letters says, checked: query and body become plain values.

What is done with them stands in internal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from callback_gateway.inbox.records import NOWHERE, Selection
from zhongkong.runtime.names import is_name
from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE_DEFAULT: Final = 50
PAGE_AT_MOST: Final = 200
"""Letters come with their events, which may be large."""
IDS_AT_MOST: Final = 1000

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,256}")
_CURSOR: Final = re.compile(r"[!-~]{1,256}")
_WHOLE: Final = re.compile(r"[0-9]{1,4}")
_SELECT: Final = 'one of {"ids": […]}, {"account": …, "target": …} and {"all": true}'


@dataclass(frozen=True, slots=True)
class Listing:
    """Which page is wanted."""

    selection: Selection
    after: str | None
    limit: int


def listing(query: Iterable[tuple[str, str]]) -> Listing:
    """Read account, target, after and limit. Raises Problem."""
    given: dict[str, str] = {}
    for name, value in query:
        if name in given or name not in {"account", "target", "after", "limit"}:
            raise _bad("The query takes account, target, after and limit, each once.")
        given[name] = value
    limit = given.get("limit", str(PAGE_DEFAULT))
    if not _WHOLE.fullmatch(limit) or not 1 <= int(limit) <= PAGE_AT_MOST:
        raise _bad(f"`limit` must be a whole number from 1 to {PAGE_AT_MOST}.")
    after = given.get("after")
    if after is not None and not _CURSOR.fullmatch(after):
        raise _bad("`after` must be the `next` of another page.")
    return Listing(_filter(given), after, int(limit))


def letter_id(text: str) -> str:
    """One dead letter's id. Raises Problem."""
    if not _ID.fullmatch(text):
        raise _bad("This is not the id of a dead letter.")
    return text


def selection(body: Any) -> Selection:
    """Which dead letters shall be changed; all of them only on demand. Raises Problem."""
    if not isinstance(body, dict) or not body:
        raise _bad(f"The body must be {_SELECT}.")
    if body.keys() == {"all"}:
        if body["all"] is not True:
            raise _bad("`all` must be true.")
        return Selection()
    if body.keys() == {"ids"}:
        ids = body["ids"]
        if not isinstance(ids, list) or not 1 <= len(ids) <= IDS_AT_MOST:
            raise _bad(f"`ids` must be a list of 1 to {IDS_AT_MOST} ids.")
        if not all(isinstance(each, str) and _ID.fullmatch(each) for each in ids):
            raise _bad("`ids` must hold ids of dead letters.")
        return Selection(ids=tuple(dict.fromkeys(ids)))
    if not body.keys() <= {"account", "target"}:
        raise _bad(f"The body must be {_SELECT}.")
    if None in body.values():
        # An empty choice would be a choice of all, and that has to be said.
        raise _bad("`account` and `target` must be names; leave out the one that doesn't matter.")
    return _filter(body)


def words(chosen: Selection) -> str:
    """A selection in a few words, for the audit."""
    if chosen.ids:
        return chosen.ids[0] if len(chosen.ids) == 1 else f"{len(chosen.ids)} ids"
    parts = {"account": chosen.account, "target": chosen.target}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "all"


def _filter(given: Mapping[str, Any]) -> Selection:
    account, target = given.get("account"), given.get("target")
    if account is not None and not (isinstance(account, str) and is_name(account)):
        raise _bad("`account` must be the name of an account.")
    if target is not None and not (
        isinstance(target, str) and (is_name(target) or target == NOWHERE)
    ):
        raise _bad(f"`target` must be the name of a target, or {NOWHERE} for unreadable events.")
    return Selection(account=account, target=target)


def _bad(detail: str) -> Problem:
    return Problem(400, "Bad request", detail)
