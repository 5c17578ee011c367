"""`menu-worker pause` and `resume`: writing off and on, for every worker on the store.

The switch is in the store, so it needs no running worker, and no admin key but the store's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from menu_worker.commands.session import person, store_alone
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from menu_worker.settings import MenuWorkerSettings
    from zhongkong.runtime.settings import Loaded


async def switch(loaded: Loaded[MenuWorkerSettings], account: str, *, paused: bool) -> int:
    """0, or 1 when the store can't be reached."""
    try:
        async with store_alone(loaded) as store:
            await store.pause(account, paused=paused, by=person())
    except StoreUnavailable as trouble:
        typer.echo(str(trouble), err=True)
        return 1
    if paused:
        typer.echo(f"{account} is paused: no worker on this store writes its menu any more")
    else:
        typer.echo(f"{account} is resumed: workers write its menu again with their next pass")
    return 0
