"""What a command that touches WeChat or the store needs: both, opened and closed again."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from menu_worker import configured
from menu_worker.app import open_store
from menu_worker.files import MenuFiles
from menu_worker.fleet import Conduct, Fleet
from menu_worker.reconciler import Order
from token_service.client import KeyUnreadable
from zhongkong.runtime import logs
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from menu_worker.desired import LoadedMenus
    from menu_worker.settings import MenuFilesSettings, MenuWorkerSettings
    from menu_worker.store.base import MenuStore
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.settings import Loaded


@dataclass(frozen=True, slots=True)
class Session:
    """A store and a way to WeChat. `holder` names this command among those that write."""

    settings: MenuWorkerSettings
    fleet: Fleet
    holder: str

    @property
    def store(self) -> MenuStore:
        return self.fleet.store

    @property
    def clock(self) -> Clock:
        return self.fleet.clock

    def order(self) -> Order:
        """That of a person's command as it is."""
        return Order(self.holder)


@asynccontextmanager
async def session(
    loaded: Loaded[MenuWorkerSettings], command: str, *, force: bool = False
) -> AsyncIterator[Session]:
    """Open both. Raises CannotStart."""
    settings = loaded.settings
    instance = configured.instance_of(settings, loaded.path, socket.gethostname())
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        store = await open_store(settings.store, loaded.base, clock)
        stack.push_async_callback(store.close)
        try:
            caller = await stack.enter_async_context(
                configured.token_client(settings.token_service)
            )
        except (KeyUnreadable, ValueError) as trouble:
            raise CannotStart(f"token_service: {trouble}") from trouble
        conduct = Conduct(
            instance=instance,
            actor=f"{command} by {person()}",
            policy=configured.policy_of(settings, force=force),
            strategy=settings.conditional_strategy,
            on_drift=settings.on_drift,
            daily=configured.daily_limits(settings),
            concurrency=settings.concurrency,
            by_person=True,
        )
        holder = f"{instance}/{command}-{SystemRandomness().token(4)}"
        yield Session(settings, Fleet(conduct, caller, store, clock), holder)


@asynccontextmanager
async def store_alone(loaded: Loaded[MenuWorkerSettings]) -> AsyncIterator[MenuStore]:
    """The store, for what needs no WeChat. Raises CannotStart."""
    store = await open_store(loaded.settings.store, loaded.base, SystemClock())
    try:
        yield store
    finally:
        await store.close()


def desired_menus(
    loaded: Loaded[MenuWorkerSettings] | Loaded[MenuFilesSettings],
) -> LoadedMenus:
    """What the files of the configuration hold. Blocking."""
    settings = loaded.settings
    return MenuFiles(settings.menus, loaded.base, settings.account).load()


def person() -> str:
    """Who runs this command, as far as the machine knows."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def finish(work: Coroutine[Any, Any, int]) -> int:
    """Run a command to its end; what keeps it from beginning becomes one line and exit code 1."""
    # What a command prints is its own; only what went wrong on the way is worth a line beside it.
    logs.configure("menu_worker", stream=sys.stderr, level="warning")
    try:
        return asyncio.run(work)
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)  # noqa: T201 - for the person who typed the command
        return 1
    finally:
        logs.close()
