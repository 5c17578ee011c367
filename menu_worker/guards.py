"""PURE: plans that are not carried out without a word from a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from menu_worker.diff import diff
from menu_worker.menu import Conditional, Menu
from menu_worker.steps import ChangeKind, DeleteAll

if TYPE_CHECKING:
    from collections.abc import Iterable

    from menu_worker.menu import Button, Live
    from menu_worker.steps import Plan

ALWAYS_REMOVABLE: Final = 3
"""So many buttons may go however small the menu: a share means little of a handful."""


class Guard(StrEnum):
    """Which guard refuses."""

    EMPTY_DESIRED = "empty_desired"
    TOO_MUCH_REMOVED = "too_much_removed"
    STALE_PLAN = "stale_plan"


@dataclass(frozen=True, slots=True)
class Refused:
    """A plan that isn't carried out: why, and what would let it pass."""

    guard: Guard
    detail: str
    removed: int = 0
    """Of too much removed: so many buttons of `total`, where a share of `allowed` may go."""
    total: int = 0
    allowed: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be done. `max_removed` is a share of the last verified menu's buttons."""

    allow_delete: bool = False
    max_removed: float = 0.5
    force: bool = False
    """Lets any size of change pass; never an empty menu, nor a stale plan."""


def refuse(plan: Plan, policy: Policy, last_verified: Menu | None) -> Refused | None:
    """Why this plan is not carried out; None when it may be.

    Without a last verified menu (a first apply) no size is too large, nor is it on the way back
    to the last verified one.
    """
    if plan.is_empty:
        return None
    if any(isinstance(step, DeleteAll) for step in plan.steps) and not policy.allow_delete:
        return Refused(
            Guard.EMPTY_DESIRED,
            "the desired menu is empty; set `allow_delete: true` if the live one is to be deleted",
        )
    if policy.force or last_verified is None:
        return None
    removed, total = _removed(last_verified, plan.desired)
    if removed > max(ALWAYS_REMOVABLE, policy.max_removed * total):
        return Refused(
            Guard.TOO_MUCH_REMOVED,
            f"{removed} of the {total} buttons last verified would be gone, more than "
            f"`max_removed` ({policy.max_removed:.0%}); `apply --force` lets it pass",
            removed=removed,
            total=total,
            allowed=policy.max_removed,
        )
    return None


def refuse_stale(planned_for: str, planned_menu: str, live: Live, desired: Menu) -> Refused | None:
    """Why a plan made earlier no longer holds; takes the fingerprints it was made for."""
    if planned_for != live.fingerprint:
        return Refused(
            Guard.STALE_PLAN, "the live menu has changed since this plan was made; plan again"
        )
    if planned_menu != desired.fingerprint:
        return Refused(
            Guard.STALE_PLAN, "the desired menu has changed since this plan was made; plan again"
        )
    return None


def _removed(before: Menu, after: Menu) -> tuple[int, int]:
    """How many leaves `before` has that `after` lacks, and how many it has."""
    gone = sum(change.kind is ChangeKind.REMOVED for change in diff(_flat(before), _flat(after)))
    return gone, sum(1 for _ in _leaves(before.buttons)) + sum(
        1 for each in before.conditional for _ in _leaves(each.buttons)
    )


def _flat(menu: Menu) -> Menu:
    """The same menu without its sub-menus, so that only what does something counts."""
    return Menu(
        tuple(_leaves(menu.buttons)),
        tuple(Conditional(each.rule, tuple(_leaves(each.buttons))) for each in menu.conditional),
    )


def _leaves(buttons: Iterable[Button]) -> Iterable[Button]:
    for button in buttons:
        if button.is_parent:
            yield from button.children
        else:
            yield button
