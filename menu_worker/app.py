"""Wires the menu worker together and takes it apart again. No decisions here."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from menu_worker import configured
from menu_worker.files import MenuFiles, MenuWatcher
from menu_worker.fleet import Conduct, Fleet
from menu_worker.internal import make_internal_app
from menu_worker.metrics import WorkerMetrics
from menu_worker.status import ProcessStatus, status_document
from menu_worker.store.open import open_menu_store
from menu_worker.worker import STARTING, Worker
from token_service.client import KeyUnreadable
from zhongkong.runtime.admin import Guard
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import StoreUnavailable, StoreUrlError, parse_store_url
from zhongkong.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from menu_worker.platform import Caller
    from menu_worker.settings import MenuWorkerSettings
    from menu_worker.store.base import MenuStore
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.lifecycle import Stop
    from zhongkong.runtime.settings import Loaded

INTERNAL_LISTENER: Final = "internal"
ACTOR: Final = "run"

_CLOSING_S: Final = 0.5
"""The part of the grace that is left for what comes after the passes under way."""

log = get_logger()


class MenuWorker:
    """The parts of one running worker, wired. `run` opens the door and closes it."""

    def __init__(
        self,
        loaded: Loaded[MenuWorkerSettings],
        store: MenuStore,
        caller: Caller,
        stop: Stop,
        *,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        settings = loaded.settings
        self._loaded = loaded
        self._settings = settings
        self._stop = stop
        self._clock = clock
        self._instance = configured.instance_of(settings, loaded.path, socket.gethostname())
        self._tasks = TaskOwner(clock, randomness)
        conduct = Conduct(
            instance=self._instance,
            actor=ACTOR,
            policy=configured.policy_of(settings),
            strategy=settings.conditional_strategy,
            on_drift=settings.on_drift,
            daily=configured.daily_limits(settings),
            concurrency=settings.concurrency,
        )
        self._fleet = Fleet(conduct, caller, store, clock)
        self._randomness = randomness
        self.worker = Worker(
            self._fleet,
            self._tasks,
            interval_s=settings.interval,
            randomness=randomness,
        )
        self._watcher = MenuWatcher(
            MenuFiles(settings.menus, loaded.base, settings.account), clock, self.worker.take
        )
        self._metrics = WorkerMetrics(self.worker)
        self._readiness = Readiness(self._not_ready_because, stop)
        self.opened = asyncio.Event()

    async def run(self) -> None:
        """Work until a stop is requested, then leave in order: no pass is begun any more."""
        async with self._tasks, await self._open() as listeners:
            for notice in self._loaded.notices:
                log.warning("config_notice", detail=notice)
            log.info("menu_worker_started", instance=self._instance)
            await self._watcher.look_now()
            self._tasks.keep("menu_files", self._watcher.run)
            self._stop.on_request(self.worker.stop)
            # What lives now lives long: the collector needn't look at it in each round.
            gc.freeze()
            self.opened.set()
            await self._stop.wait()
            await self.worker.drain(max(self._stop.remaining_s - 2 * _CLOSING_S, 0.1))
            await listeners.close()

    def status(self) -> dict[str, Any]:
        """The document at /v1/status."""
        process = ProcessStatus(
            instance=self._instance,
            store=str(parse_store_url(self._settings.store, self._loaded.base)),
            token_service=self._settings.token_service.url,
            readiness=self._readiness.reason(),
            notices=self._loaded.notices,
            failing_tasks=self._tasks.failing,
        )
        return status_document(process, self.worker, self._clock.now(), self._clock.monotonic())

    async def _open(self) -> Listeners:
        settings = self._settings
        app = make_internal_app(
            Guard(
                settings.internal_hosts,
                settings.admin_key_sha256,
                service="menu_worker",
                metrics_key_sha256=settings.metrics_key_sha256,
            ),
            self._readiness,
            self.worker,
            self._fleet,
            status=self.status,
            metrics=self._metrics.render,
            look=self._watcher.look_now,
            randomness=self._randomness,
        )
        listen = settings.internal_listen
        return await Listeners.open(
            [Listener(app, listen.host, listen.port, INTERNAL_LISTENER, "set `internal_listen`")],
            grace_s=2 * _CLOSING_S,
        )

    def _not_ready_because(self) -> str | None:
        return self.worker.not_ready_because() if self.opened.is_set() else STARTING


async def serve(
    loaded: Loaded[MenuWorkerSettings], stop: Stop, *, clock: Clock, randomness: Randomness
) -> None:
    """Run the worker until a stop is requested. Raises CannotStart."""
    async with open_worker(loaded, stop, clock=clock, randomness=randomness) as worker:
        await worker.run()


@asynccontextmanager
async def open_worker(
    loaded: Loaded[MenuWorkerSettings], stop: Stop, *, clock: Clock, randomness: Randomness
) -> AsyncIterator[MenuWorker]:
    """Open store and client, and wire a worker that doesn't run yet. Raises CannotStart."""
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        store = await open_store(settings.store, loaded.base, clock)
        stack.push_async_callback(store.close)
        try:
            caller = await stack.enter_async_context(
                configured.token_client(settings.token_service)
            )
        except (KeyUnreadable, ValueError) as trouble:
            raise CannotStart(f"token_service: {trouble}") from trouble
        yield MenuWorker(loaded, store, caller, stop, clock=clock, randomness=randomness)


async def open_store(url: str, base: Path, clock: Clock) -> MenuStore:
    """Open the store; what keeps it from opening ends the process. Raises CannotStart."""
    try:
        return await open_menu_store(url, base=base, clock=clock)
    except (StoreUnavailable, StoreUrlError) as trouble:
        if isinstance(trouble, CannotStart):
            raise
        raise CannotStart(f"store: {trouble}") from trouble
