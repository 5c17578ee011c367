"""`menu-worker plan`: what an apply would do, and nothing done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from menu_worker import diff_view
from menu_worker.commands.printing import complain, harmless, show, show_json
from menu_worker.commands.selection import select
from menu_worker.commands.session import desired_menus, session
from menu_worker.passes import LONGEST_S, NOT_TO_BE_ASKED
from menu_worker.plan_file import write_plans
from menu_worker.result_words import CHANGES, DONE, FAILED, worst
from zhongkong.runtime.answers import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from menu_worker.commands.selection import Selection
    from menu_worker.commands.session import Session
    from menu_worker.desired import Desired
    from menu_worker.guards import Refused
    from menu_worker.menu import Live
    from menu_worker.settings import MenuWorkerSettings
    from menu_worker.steps import Plan
    from zhongkong.runtime.settings import Glob, Loaded


@dataclass(frozen=True, slots=True)
class Planned:
    """One account's plan, what it was made for, and why an apply would refuse it."""

    plan: Plan
    live: Live
    refused: Refused | None


async def plan(
    loaded: Loaded[MenuWorkerSettings], filters: Sequence[Glob], *, as_json: bool, out: Path | None
) -> int:
    """0: no change, 2: changes, 1: an error, whatever else there is."""
    settings = loaded.settings
    menus = await asyncio.to_thread(desired_menus, loaded)
    selection = select(menus, filters, allow_delete=settings.allow_delete)
    async with session(loaded, "plan") as opened:
        found = await opened.fleet.each(
            selection.chosen, lambda account: _plan(opened, selection.chosen[account])
        )
        made_at = rfc3339(opened.clock.now())
    plans = {account: each for account, each in found.items() if isinstance(each, Planned)}
    errors = {account: each for account, each in found.items() if isinstance(each, str)}
    code = worst([*map(_code, plans.values()), *_codes_of(selection, errors)])
    complain(selection)
    for account, error in errors.items():
        typer.echo(f"{account}: {harmless(error)}", err=True)
    if as_json:
        show_json(_document(plans, errors, selection))
    else:
        show(line for each in plans.values() for line in _rendered(each))
        if len(found) > 1:
            show([Text(_summary(plans, errors))])
    if out is not None:
        return await _kept(out, plans, made_at, code)
    return code


async def _plan(opened: Session, desired: Desired) -> Planned | str:
    reconciler = opened.fleet.reconciler(desired.account)
    try:
        async with asyncio.timeout(LONGEST_S):
            made, live = await reconciler.plan(desired)
            return Planned(made, live, await reconciler.refusal(made))
    except NOT_TO_BE_ASKED as trouble:
        return str(trouble)
    except TimeoutError:
        return f"the live menu could not be read within {LONGEST_S:g} s"


async def _kept(out: Path, plans: Mapping[str, Planned], made_at: str, code: int) -> int:
    if code == FAILED:
        typer.echo(f"{out} is not written: the plan is not whole", err=True)
        return FAILED
    try:
        made = [each.plan for each in plans.values()]
        await asyncio.to_thread(write_plans, out, made, made_at)
    except OSError as error:
        typer.echo(f"{out} can't be written: {error.strerror}", err=True)
        return FAILED
    return code


def _code(planned: Planned) -> int:
    return DONE if planned.plan.is_empty else CHANGES


def _codes_of(selection: Selection, errors: Mapping[str, str]) -> list[int]:
    return [FAILED] if errors or selection.invalid or selection.absent else []


def _rendered(planned: Planned) -> list[Text]:
    return diff_view.rendered(planned.plan, planned.live, planned.refused)


def _summary(plans: Mapping[str, Planned], errors: Mapping[str, str]) -> str:
    changed = sum(not each.plan.is_empty for each in plans.values())
    told = f"{len(plans) + len(errors)} accounts: {changed} with changes"
    return f"{told}, {len(errors)} that could not be planned" if errors else told


def _document(
    plans: Mapping[str, Planned], errors: Mapping[str, str], selection: Selection
) -> dict[str, Any]:
    return {
        "version": 1,
        "accounts": [
            diff_view.document(each.plan, each.live, each.refused) for each in plans.values()
        ],
        "errors": [{"account": account, "detail": detail} for account, detail in errors.items()],
        "files": {"invalid": selection.invalid, "absent": selection.absent},
    }
