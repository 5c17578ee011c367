"""Wires the gateway together and takes it apart again. No decisions here."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from callback_gateway import configured
from callback_gateway.answers import Pace
from callback_gateway.batching import Batcher
from callback_gateway.delivery.dispatcher import Dispatcher
from callback_gateway.depth_watch import DepthWatch
from callback_gateway.inbox.open import open_inbox
from callback_gateway.inbox.spooled import SpooledInbox
from callback_gateway.inbox.upkeep import keep_purged
from callback_gateway.intake import Intake
from callback_gateway.internal import make_internal_app
from callback_gateway.letters import Letters
from callback_gateway.metrics import GatewayMetrics
from callback_gateway.process import Process
from callback_gateway.recent import Recent
from callback_gateway.reload import Reload
from callback_gateway.replies import Replies
from callback_gateway.reply_board import ReplyBoard
from callback_gateway.status import ProcessStatus, status_document
from zhongkong.runtime.admin import Guard
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import StoreUnavailable, StoreUrlError, parse_store_url
from zhongkong.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.settings import GatewaySettings
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.lifecycle import Stop
    from zhongkong.runtime.settings import Loaded

PUBLIC_LISTENER: Final = "public"
INTERNAL_LISTENER: Final = "internal"

GARBAGE_GATHERED: Final = 20_000
"""New objects between two rounds of the collector: some hundred callbacks' worth."""

_CLOSING_S: Final = 0.5
"""The part of the grace that is left for what comes after deliveries and spool."""

log = get_logger()


class CallbackGateway:
    """The parts of one running gateway, wired. `run` opens the doors and closes them."""

    def __init__(
        self,
        loaded: Loaded[GatewaySettings],
        inbox: Inbox,
        metrics: GatewayMetrics,
        stop: Stop,
        *,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        settings = loaded.settings
        self._settings = settings
        self._loaded = loaded
        self._inbox = inbox
        self._spool = inbox if isinstance(inbox, SpooledInbox) else None
        self._metrics = metrics
        self._stop = stop
        self._process = Process(f"{socket.gethostname()}-{randomness.token(4)}", clock, randomness)
        self._tasks = TaskOwner(clock, randomness)
        self.rules = configured.rules(loaded)
        board = ReplyBoard()
        self._dispatcher = Dispatcher(
            inbox,
            lambda: self.rules.targets,
            self._process.owner,
            clock=clock,
            randomness=randomness,
            schedule=settings.schedule,
            tasks=self._tasks,
            observer=metrics,
            board=board,
        )
        pace = Pace(settings.tries, settings.retry_every, settings.answer_within)
        self._batcher = Batcher(inbox, self._process, self._tasks)
        replies = Replies(
            inbox,
            board,
            self._dispatcher,
            metrics,
            process=self._process,
            pace=pace,
            joinable=self._is_joinable,
        )
        self._intake = Intake(
            self.rules,
            self._batcher,
            replies,
            self._dispatcher,
            metrics,
            pace=pace,
            freshness_s=settings.freshness,
            clock=clock,
        )
        self._watch = DepthWatch(
            inbox, clock, spool=None if self._spool is None else self._spool.waiting
        )
        metrics.show(self._watch)
        self._recent = Recent(metrics.callbacks, clock)
        self._reload = Reload(loaded, self.rules, clock, on_change=self._dispatcher.wake)
        self._readiness = Readiness(self._not_ready_because, stop)
        self.opened = asyncio.Event()

    async def run(self) -> None:
        """Serve until a stop is requested, then leave in order: nothing accepted is lost."""
        async with self._tasks, await self._open() as listeners:
            self._tasks.keep("delivery", self._dispatcher.run)
            self._tasks.keep("config", self._reload.watcher.run)
            self._tasks.keep("inbox_depth", self._watch.run)
            self._tasks.keep("recent_traffic", self._recent.run)
            self._tasks.keep("purge", partial(keep_purged, self._inbox, self._process.clock))
            if self._spool is not None:
                self._tasks.keep("spool", self._spool.run)
            self._stop.on_request(self._process.ending.set)
            # What lives now lives long, and what a callback leaves behind can wait for company.
            gc.freeze()
            gc.set_threshold(GARBAGE_GATHERED, 20, 20)
            self.opened.set()
            await self._stop.wait()
            # Whoever sends callbacks here hears of the end later than we do.
            await self._process.clock.sleep(min(self._settings.drain, self._stop.remaining_s))
            await listeners.close()
            await self._dispatcher.drain(max(self._stop.remaining_s - _CLOSING_S, 0.1))
            if self._spool is not None:
                await self._spool.drain(max(self._stop.remaining_s - _CLOSING_S, 0.1))

    def status(self) -> dict[str, Any]:
        """The document at /v1/status."""
        base = self._loaded.base
        process = ProcessStatus(
            replica=self._process.owner,
            store=str(parse_store_url(self._settings.store, base)),
            durability=self._settings.durability,
            readiness=self._readiness.reason(),
            spool=None if self._spool is None else str(parse_store_url(self._settings.spool, base)),
            config_problems=self._reload.watcher.refused_because,
            secret_problems=self._reload.bad_secrets,
            notices=self._reload.notices,
            failing_tasks=self._tasks.failing,
        )
        now = self._process.clock.now()
        return status_document(process, self.rules, self._metrics, self._watch, now)

    async def _open(self) -> Listeners:
        settings = self._settings
        internal = make_internal_app(
            Guard(
                settings.internal_hosts,
                settings.admin_key_sha256,
                service="callback_gateway",
                metrics_key_sha256=settings.metrics_key_sha256,
            ),
            self._readiness,
            Letters(self._inbox, lambda: self.rules.targets, self._dispatcher.wake),
            status=self.status,
            metrics=self._metrics.render,
            traffic=self._recent.traffic,
            clock=self._process.clock,
            randomness=self._process.randomness,
        )
        listen, internal_listen = settings.listen, settings.internal_listen
        return await Listeners.open(
            [
                Listener(
                    self._intake.app(settings.body_limit),
                    listen.host,
                    listen.port,
                    PUBLIC_LISTENER,
                    "set `listen`",
                    # A try whose sender hung up still has to be stored and its reply begun.
                    cancel_abandoned=False,
                ),
                Listener(
                    internal,
                    internal_listen.host,
                    internal_listen.port,
                    INTERNAL_LISTENER,
                    "set `internal_listen`",
                ),
            ],
            grace_s=max(settings.grace - settings.drain - 2 * _CLOSING_S, _CLOSING_S),
        )

    def _is_joinable(self) -> bool:
        return self._spool is None or not self._spool.away

    def _not_ready_because(self) -> str | None:
        if not self.opened.is_set():
            return "starting"
        return "nothing can be stored" if self._batcher.failing else None


async def serve(
    loaded: Loaded[GatewaySettings], stop: Stop, *, clock: Clock, randomness: Randomness
) -> None:
    """Run the gateway until a stop is requested. Raises CannotStart."""
    async with open_gateway(loaded, stop, clock=clock, randomness=randomness) as gateway:
        await gateway.run()


@asynccontextmanager
async def open_gateway(
    loaded: Loaded[GatewaySettings], stop: Stop, *, clock: Clock, randomness: Randomness
) -> AsyncIterator[CallbackGateway]:
    """Open the inbox and wire a gateway that doesn't run yet. Raises CannotStart."""
    async with AsyncExitStack() as stack:
        metrics = GatewayMetrics(clock)
        inbox = await _open_inbox(loaded, metrics, clock, randomness)
        stack.push_async_callback(inbox.close)
        yield CallbackGateway(loaded, inbox, metrics, stop, clock=clock, randomness=randomness)


async def _open_inbox(
    loaded: Loaded[GatewaySettings], metrics: GatewayMetrics, clock: Clock, randomness: Randomness
) -> Inbox:
    settings = loaded.settings
    try:
        return await open_inbox(
            settings.store,
            base=loaded.base,
            spool=settings.spool,
            durability=settings.durability,
            keeping=configured.keeping(settings),
            clock=clock,
            randomness=randomness,
            observer=metrics,
        )
    except (StoreUnavailable, StoreUrlError) as trouble:
        if isinstance(trouble, CannotStart):
            raise
        raise CannotStart(f"store: {trouble}") from trouble
