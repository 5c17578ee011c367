"""`menu-worker import`: the live menu as a desired file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from menu_worker.commands.session import session
from menu_worker.importing import to_file_text
from menu_worker.passes import NOT_TO_BE_ASKED
from zhongkong.runtime.whole_file import FOR_EVERYBODY, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from menu_worker.settings import MenuWorkerSettings
    from zhongkong.runtime.settings import Loaded


async def import_menu(
    loaded: Loaded[MenuWorkerSettings], account: str, out: Path | None, *, overwrite: bool
) -> int:
    """0, or 1 when live can't be read or the file not be written."""
    async with session(loaded, "import") as opened:
        try:
            live = await opened.fleet.menus(account).read(thorough=True)
        except NOT_TO_BE_ASKED as trouble:
            typer.echo(f"{account}: {trouble}", err=True)
            return 1
    text = to_file_text(live, account)
    if out is None:
        typer.echo(text, nl=False)
        return 0
    try:
        await asyncio.to_thread(
            write_whole, out, text.encode(), mode=FOR_EVERYBODY, overwrite=overwrite
        )
    except FileExistsError:
        typer.echo(f"{out} is there already; --overwrite replaces it", err=True)
        return 1
    except OSError as error:
        typer.echo(f"{out} can't be written: {error.strerror}", err=True)
        return 1
    return 0
