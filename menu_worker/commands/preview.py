"""`menu-worker preview`: a desired file on a phone, beside the live menu."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from menu_worker.commands.printing import harmless
from menu_worker.commands.session import session
from menu_worker.desired import DesiredRefused, load_file
from menu_worker.passes import NOT_TO_BE_ASKED
from menu_worker.png import NoPicture, render_png
from menu_worker.preview import render

if TYPE_CHECKING:
    from pathlib import Path

    from menu_worker.desired import Desired
    from menu_worker.settings import MenuWorkerSettings
    from zhongkong.runtime.settings import Loaded


async def preview(
    loaded: Loaded[MenuWorkerSettings] | None, file: Path, out: Path, account: str | None
) -> int:
    """0, or 1 with the reason. Without a configuration the desired menu stands alone."""
    default = account or (None if loaded is None else loaded.settings.account)
    try:
        desired = await asyncio.to_thread(load_file, file, default)
    except DesiredRefused as refused:
        for violation in refused.violations:
            typer.echo(harmless(str(violation)), err=True)
        return 1
    try:
        page = await _page(loaded, desired)
        if out.suffix.lower() == ".png":
            await render_png(page, out)
        else:
            await asyncio.to_thread(out.write_text, page, "utf-8")
    except NOT_TO_BE_ASKED as trouble:
        typer.echo(
            f"{desired.account}: {trouble}\n--offline shows the desired menu alone", err=True
        )
        return 1
    except NoPicture as trouble:
        typer.echo(str(trouble), err=True)
        return 1
    except OSError as error:
        typer.echo(f"{out} can't be written: {error.strerror}", err=True)
        return 1
    return 0


async def _page(loaded: Loaded[MenuWorkerSettings] | None, desired: Desired) -> str:
    if loaded is None:
        return render(desired.menu, None, (), desired.account)
    async with session(loaded, "preview") as opened:
        plan, live = await opened.fleet.reconciler(desired.account).plan(desired)
    return render(desired.menu, live, plan.changes, desired.account)
