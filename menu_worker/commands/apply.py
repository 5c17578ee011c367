"""`menu-worker apply`: plan, guard, back up, write, read back, verify. It never asks."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import typer
from rich.text import Text

from menu_worker import diff_view
from menu_worker.carrying_out import LEASE_S
from menu_worker.commands.printing import complain, show, show_json
from menu_worker.commands.selection import select
from menu_worker.commands.session import desired_menus, session
from menu_worker.passes import ended
from menu_worker.plan_file import PlanUnreadable, read_plans
from menu_worker.result_words import (
    DONE,
    FAILED,
    REFUSED,
    document,
    exit_code,
    kind_of,
    sentence,
    worst,
)
from menu_worker.results import Applied, Busy, InSync, Reason, is_good

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from menu_worker.commands.selection import Selection
    from menu_worker.desired import Desired
    from menu_worker.fleet import Fleet
    from menu_worker.plan_file import KeptPlans
    from menu_worker.reconciler import Order
    from menu_worker.results import Result
    from menu_worker.settings import MenuWorkerSettings
    from zhongkong.runtime.settings import Glob, Loaded

BUSY_FOR_S: Final = LEASE_S + 15.0
"""So long another worker's pass may go on, or its lease outlive it."""

_LOOK_EVERY_S: Final = 2.0
_SHOWN_IN_SYNC: Final = 20
_NAMED_AT_MOST: Final = 20


async def apply(
    loaded: Loaded[MenuWorkerSettings],
    filters: Sequence[Glob],
    *,
    plan_path: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """0: done or nothing to do, 1: an error, 3: a guard, a stale plan, or nothing desired."""
    menus = await asyncio.to_thread(desired_menus, loaded)
    selection = select(menus, filters, allow_delete=loaded.settings.allow_delete)
    kept: KeptPlans | None = None
    if plan_path is not None:
        try:
            kept = await asyncio.to_thread(read_plans, plan_path, len(menus.desired))
        except PlanUnreadable as trouble:
            typer.echo(str(trouble), err=True)
            return FAILED
        _bind(selection, kept, filters)
    async with session(loaded, "apply", force=force) as opened:
        order = replace(opened.order(), anew=force)
        results = await apply_all(opened.fleet, selection.chosen, order, kept)
    complain(selection)
    if as_json:
        show_json({"accounts": [document(*each) for each in results.items()]})
    else:
        _tell(results)
    refused = [REFUSED] if selection.absent else []
    failed = [FAILED] if selection.invalid else []
    return worst([*map(exit_code, results.values()), *refused, *failed])


async def apply_all(
    fleet: Fleet, chosen: Mapping[str, Desired], order: Order, kept: KeptPlans | None = None
) -> dict[str, Result]:
    """Apply every account's menu, each for itself."""

    async def one(account: str) -> Result:
        bound = None if kept is None else kept.bound[account]
        return await apply_one(fleet, chosen[account], replace(order, bound=bound))

    return await fleet.each(chosen, one)


async def apply_one(fleet: Fleet, desired: Desired, order: Order) -> Result:
    """Apply one, once nobody else writes it."""
    reconciler = fleet.reconciler(desired.account)
    give_up_at = fleet.clock.monotonic() + BUSY_FOR_S
    while True:
        result = await ended(reconciler.run(desired, Reason.REQUESTED, order=order))
        if not isinstance(result, Busy) or fleet.clock.monotonic() >= give_up_at:
            return result
        await fleet.clock.sleep(_LOOK_EVERY_S)


def _bind(selection: Selection, kept: KeptPlans, filters: Sequence[Glob]) -> None:
    """Leave the accounts of the plan alone; those that aren't desired any more make it stale."""
    for account in kept.bound:
        wanted = not filters or any(each.matches(account) for each in filters)
        if wanted and account not in selection.chosen:
            selection.absent.append(
                f"{account}: the plan has it, but no desired menu that could be applied; plan again"
            )
    selection.chosen = {
        account: desired for account, desired in selection.chosen.items() if account in kept.bound
    }


def _tell(results: Mapping[str, Result]) -> None:
    for account, result in results.items():
        if isinstance(result, Applied):
            show(diff_view.rendered(result.plan))
            show([Text(f"  {sentence(result)}", style="green")])
        elif not isinstance(result, InSync) or len(results) <= _SHOWN_IN_SYNC:
            style = "" if is_good(result) else "red"
            show([Text(f"{account}: {sentence(result)}", style=style)])
    if len(results) > 1:
        show([Text(summary(results))])


def summary(results: Mapping[str, Result]) -> str:
    """`1000 accounts: 999 applied, 1 failed (shop7)`."""
    counts = Counter(kind_of(result) for result in results.values())
    parts = []
    for kind, count in counts.most_common():
        named = [a for a, r in results.items() if kind_of(r) == kind and exit_code(r) != DONE]
        shown = ", ".join(named[:_NAMED_AT_MOST]) + (", …" if len(named) > _NAMED_AT_MOST else "")
        parts.append(f"{count} {kind.replace('_', ' ')}" + (f" ({shown})" if named else ""))
    return f"{len(results)} accounts: {', '.join(parts)}"
