"""PURE: from what is live and what is desired to the steps that make them equal.

Never a moment without a menu: the default one is replaced, never deleted and made anew, and of the
conditional ones the new are there before the stale go, where the strategy allows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from menu_worker.diff import diff
from menu_worker.steps import (
    AddConditional,
    ConditionalStrategy,
    CreateDefault,
    DeleteAll,
    DeleteConditional,
    Plan,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from menu_worker.menu import Conditional, Live, Menu
    from menu_worker.steps import Step


def make_plan(
    account: str,
    live: Live,
    desired: Menu,
    *,
    strategy: ConditionalStrategy = ConditionalStrategy.ADD_FIRST,
) -> Plan:
    """Plan one account. An empty desired menu plans to delete everything; guards decide on that.

    A menu made in the console is never equal to a desired one: it is replaced.
    """
    return Plan(
        account=account,
        live_fingerprint=live.fingerprint,
        desired=desired,
        steps=tuple(_steps(live, desired, strategy)),
        changes=diff(live.menu, desired),
        replaces_console_menu=live.is_console_made,
    )


def _steps(live: Live, desired: Menu, strategy: ConditionalStrategy) -> list[Step]:
    if desired.is_empty:
        return [] if live.menu.is_empty and not live.is_console_made else [DeleteAll()]
    steps: list[Step] = []
    if desired.buttons != live.menu.buttons or live.is_console_made:
        steps.append(CreateDefault(desired.buttons))
    kept = _kept(live.menu.conditional, desired.conditional)
    adding: list[Step] = [AddConditional(each) for each in desired.conditional[len(kept) :]]
    deleting: list[Step] = [
        DeleteConditional(menuid, conditional)
        for position, (menuid, conditional) in enumerate(
            zip(live.ids, live.menu.conditional, strict=True)
        )
        if position not in kept
    ]
    if strategy is ConditionalStrategy.ADD_FIRST:
        return [*steps, *adding, *deleting]
    return [*steps, *deleting, *adding]


def _kept(live: Sequence[Conditional], desired: Sequence[Conditional]) -> set[int]:
    """Positions in `live` of what can stay: the longest beginning of `desired` found in order.

    There is no call to edit or to reorder, and the menu created last wins: what is added comes
    after all that stays, so only a beginning can stay.
    """
    kept: set[int] = set()
    position = 0
    for wanted in desired:
        while position < len(live) and live[position] != wanted:
            position += 1
        if position == len(live):
            break
        kept.add(position)
        position += 1
    return kept
