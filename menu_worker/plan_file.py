"""Plans kept in a file between `plan --out` and `apply --plan`.

A plan file is bound to what it was made for: an apply plans anew, and goes on only when the live
and the desired menus still are those of the file, so that it writes what was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from menu_worker.reconciler import Bound
from zhongkong.runtime.names import is_name
from zhongkong.runtime.settings.files import FileTrouble, read_file
from zhongkong.runtime.whole_file import FOR_EVERYBODY, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from menu_worker.steps import Plan

FORMAT: Final = "zhongkong-menu-plan"
VERSION: Final = 1
BYTES_PER_ACCOUNT: Final = 1024 * 1024
BYTES_AT_MOST: Final = 64 * 1024 * 1024

_FINGERPRINT_AT_MOST: Final = 64


class PlanUnreadable(Exception):
    """The file holds no plan that could be used; the message names it."""


@dataclass(frozen=True, slots=True)
class KeptPlans:
    """The states that the plans of a file were made for, by account."""

    bound: Mapping[str, Bound]


def write_plans(path: Path, plans: Iterable[Plan], made_at: str) -> None:
    """Write the plan file, whole or not at all. Blocking. Raises OSError."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": made_at,
        "accounts": [plan.document() for plan in plans],
    }
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    write_whole(path, text, mode=FOR_EVERYBODY)


def read_plans(path: Path, accounts: int) -> KeptPlans:
    """Read a plan file of at most so many accounts. Blocking. Raises PlanUnreadable."""
    limit = min(BYTES_PER_ACCOUNT * max(accounts, 1), BYTES_AT_MOST)
    try:
        document = orjson.loads(read_file(path, limit).data)
    except FileTrouble as trouble:
        raise PlanUnreadable(f"the plan file {path} {trouble}") from None
    except orjson.JSONDecodeError:
        raise PlanUnreadable(f"{path} is no plan file: it is not JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanUnreadable(f"{path} is no plan file; `menu-worker plan --out FILE` writes one")
    if document.get("version") != VERSION:
        raise PlanUnreadable(
            f"{path} was written by another version of menu-worker; plan again with this one"
        )
    entries = document.get("accounts")
    if not isinstance(entries, list):
        raise PlanUnreadable(f"{path} is damaged: it has no list of accounts")
    return KeptPlans(_bound(path, entries))


def _bound(path: Path, entries: list[Any]) -> dict[str, Bound]:
    bound: dict[str, Bound] = {}
    for number, entry in enumerate(entries):
        fields = entry if isinstance(entry, dict) else {}
        account, live, desired = (fields.get(name) for name in ("account", "live", "desired"))
        if not isinstance(account, str) or not is_name(account) or account in bound:
            raise PlanUnreadable(f"{path} is damaged: accounts[{number}] names no account")
        if not (_is_fingerprint(live) and _is_fingerprint(desired)):
            raise PlanUnreadable(f"{path} is damaged: accounts[{number}] has no fingerprints")
        bound[account] = Bound(str(live), str(desired))
    return bound


def _is_fingerprint(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _FINGERPRINT_AT_MOST
