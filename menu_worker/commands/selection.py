"""Which accounts a command is about, and what is wrong with the files of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from menu_worker.findings import Level
from menu_worker.validation import EMPTY_BODY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from menu_worker.desired import Desired, LoadedMenus
    from menu_worker.findings import Violation
    from zhongkong.runtime.settings import Glob


@dataclass(slots=True)
class Selection:
    """`chosen` can be worked on. The lines of both other lists name their files."""

    chosen: dict[str, Desired] = field(default_factory=dict)
    invalid: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    """Empty menus and missing files: nothing is deleted for them."""


def select(menus: LoadedMenus, filters: Sequence[Glob], *, allow_delete: bool) -> Selection:
    """The accounts that a filter matches, or all without one."""
    selection = Selection()

    def wanted(account: str) -> bool:
        return not filters or any(each.matches(account) for each in filters)

    for account, desired in menus.desired.items():
        if not wanted(account):
            continue
        if desired.menu.is_empty and not allow_delete:
            selection.absent.append(empty_line(desired))
        else:
            selection.chosen[account] = desired
    others = {
        path for account, paths in menus.unusable.items() if not wanted(account) for path in paths
    }
    for path, violations in menus.refused.items():
        if path not in others:
            _sort_in(selection, violations)
    _missing(selection, menus, filters)
    return selection


def empty_line(desired: Desired) -> str:
    """What is said of a menu without buttons."""
    return (
        f"{desired.file}: the desired menu of {desired.account} is empty; nothing is deleted "
        "unless `allow_delete: true` is set"
    )


def _sort_in(selection: Selection, violations: Sequence[Violation]) -> None:
    errors = [each for each in violations if each.level is Level.ERROR]
    is_empty = all(each.code == EMPTY_BODY for each in errors)
    (selection.absent if is_empty else selection.invalid).extend(map(str, errors))


def _missing(selection: Selection, menus: LoadedMenus, filters: Sequence[Glob]) -> None:
    found: Mapping[str, object] = {**menus.desired, **menus.unusable}
    unfound = [each for each in filters if not any(each.matches(name) for name in found)]
    if not filters or unfound:
        selection.absent += [
            f"{pattern}: no file is there; the live menu is left as it is"
            for pattern in menus.unmatched
        ]
    selection.absent += [f"{each}: no desired file is for such an account" for each in unfound]
