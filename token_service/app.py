"""Wires the token service together and takes it apart again. No decisions here."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from token_service import configured
from token_service.api import Api
from token_service.internal import add_moving, make_internal_app
from token_service.metrics import ServiceMetrics
from token_service.moving import Moving, tell_if_frozen
from token_service.opaque_keys import opaque_tokens
from token_service.proxy.faces import Faces
from token_service.proxy.parts import Around, make_parts
from token_service.reload import Reload
from token_service.revocations import Revocations
from token_service.rotator import Rotator
from token_service.status import ProcessStatus, status_document
from token_service.status_page import client_rows
from token_service.stores.codec import Sealer
from token_service.stores.copy_hold import End
from token_service.stores.open import open_token_store
from token_service.tickets import TicketUpstream, UpstreamByKind
from token_service.upstream import WeChatUpstream
from token_service.waiting import WaitingRoom
from zhongkong.runtime.admin import Guard
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import StoreUnavailable, StoreUrlError, parse_store_url
from zhongkong.runtime.tasks import TaskOwner
from zhongkong.wechat.transport import WeChatTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from token_service.opaque import OpaqueTokens
    from token_service.settings import TokenServiceSettings
    from token_service.status_page import ClientRow
    from token_service.stores.movable import MovableTokenStore
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.lifecycle import Stop
    from zhongkong.runtime.settings import Loaded

CLIENT_LISTENER: Final = "client"
INTERNAL_LISTENER: Final = "internal"
FIRST_OUTCOME_WITHIN_S: Final = 10.0
"""After this the process is ready even if an account has neither token nor failure."""

_CLOSING_S: Final = 1.0
"""The part of the grace that is left for what comes after the listeners."""

_ANSWERING_SHARE: Final = 0.4
"""Of the rest: so long a rotation or rejection may still be answered with its outcome."""

log = get_logger()


class TokenService:
    """The parts of one running service, wired. `run` opens the doors and closes them."""

    def __init__(
        self,
        loaded: Loaded[TokenServiceSettings],
        store: MovableTokenStore,
        transport: WeChatTransport,
        stop: Stop,
        *,
        opaque: OpaqueTokens,
        sealer: Sealer,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        settings = loaded.settings
        self._settings = settings
        self._stop = stop
        self._clock = clock
        self._randomness = randomness
        self._started = clock.monotonic()
        self._store_address = str(parse_store_url(settings.store, loaded.base))
        self._room = WaitingRoom(
            settings.waiters,
            patience_s=max(settings.grace - 2 * _CLOSING_S, 0.0) * _ANSWERING_SHARE,
        )
        self._metrics = ServiceMetrics()
        self._tasks = TaskOwner(clock, randomness)
        self.rotator = Rotator(
            store,
            UpstreamByKind(
                WeChatUpstream(transport, probe_path=settings.wechat.probe_path),
                TicketUpstream(transport, lambda: self.rotator),
            ),
            configured.plans(settings),
            replica=f"{socket.gethostname()}-{randomness.token(3)}",
            clock=clock,
            randomness=randomness,
            observer=self._metrics,
        )
        self._metrics.show(self.rotator.statuses, self._room)
        self.revocations = Revocations(
            store,
            now=self.rotator.now,
            clock=clock,
            on_change=self._refuse_revoked,
        )
        directory = configured.directory(settings)
        self.faces = Faces(
            make_parts(
                self.rotator,
                directory,
                opaque,
                Around(self._tasks, self._room, clock, randomness, self.revocations.before),
                settings=settings.proxy,
                base_urls=settings.wechat.base_urls,
            )
        )
        self._metrics.register(self.faces.tallies)
        self._api = Api(
            self.rotator,
            directory,
            room=self._room,
            tallies=self._metrics.tallies,
            tasks=self._tasks,
            clock=clock,
            faces=self.faces,
        )
        self.reload = Reload(loaded, self.rotator, self._api, self.revocations, clock)
        self._moving = Moving(
            End(store, self._store_address),
            base=loaded.base,
            sealer=sealer,
            key_ids=opaque.key_ids,
            flights_s=settings.rotation.call_deadline + settings.rotation.lease,
            tasks=self._tasks,
            clock=clock,
            randomness=randomness,
        )
        self._readiness = Readiness(self._not_ready_because, stop)
        self.opened = asyncio.Event()
        self._rotation_ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until a stop is requested, then leave in order."""
        async with self._tasks, await self._open() as listeners:
            self._tasks.keep("rotation", self._rotate)
            self._tasks.keep("config", self.reload.watcher.run)
            self._tasks.keep("revocations", self.revocations.run)
            self._stop.on_request(self._room.close)
            # What lives now lives long: the collector needn't look at it in each round.
            gc.freeze()
            self.opened.set()
            await self._stop.wait()
            await listeners.close()
            self.rotator.stop()
            # What calls WeChat is let finish: cut off, it would leave a doubt behind.
            await self._tasks.finish(self._left_s())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._left_s()):
                    await self._rotation_ended.wait()

    def _refuse_revoked(self) -> None:
        self.reload.refuse_revoked()

    async def revoke(self, client: str) -> bool:
        """Revoke a configured client. False when there is none of this name."""
        for settings in self.reload.watcher.loaded.settings.clients:
            if settings.name == client:
                await self.revocations.revoke(client, settings.key_sha256)
                log.warning("client_revoked", client=client)
                return True
        return False

    def status(self) -> dict[str, Any]:
        """The document at /v1/status."""
        process = ProcessStatus(
            replica=self.rotator.replica,
            replicas=self.rotator.replicas,
            store=self._store_address,
            store_reachable=self.rotator.store_reachable,
            freeze=self.rotator.freeze,
            readiness=self._readiness.reason(),
            waiting=self._room.taken,
            waiting_limit=self._room.seats,
            config_problems=self.reload.watcher.refused_because,
            secret_problems=self.reload.watcher.unreadable_secrets,
            notices=self.reload.notices,
            failing_tasks=self._tasks.failing,
        )
        return status_document(process, self.rotator.statuses(), self.rotator.now())

    def _client_rows(self) -> list[ClientRow]:
        clients = self.reload.watcher.loaded.settings.clients
        return client_rows(clients, self.revocations.is_key_revoked)

    async def _open(self) -> Listeners:
        settings = self._settings
        internal = make_internal_app(
            Guard(
                settings.internal_hosts,
                settings.admin_key_sha256,
                service="token_service",
                metrics_key_sha256=settings.metrics_key_sha256,
            ),
            self._readiness,
            status=self.status,
            metrics=self._metrics.render,
            revoke=self.revoke,
            clients=self._client_rows,
            clock=self._clock,
            randomness=self._randomness,
        )
        add_moving(internal, self._moving)
        listen, internal_listen = settings.listen, settings.internal_listen
        return await Listeners.open(
            [
                Listener(self._api.app, listen.host, listen.port, CLIENT_LISTENER, "set `listen`"),
                Listener(
                    internal,
                    internal_listen.host,
                    internal_listen.port,
                    INTERNAL_LISTENER,
                    "set `internal_listen`",
                ),
            ],
            grace_s=max(settings.grace - _CLOSING_S, _CLOSING_S / 2),
        )

    async def _rotate(self) -> None:
        await self.rotator.run()
        self._rotation_ended.set()

    def _left_s(self) -> float:
        return max(self._stop.remaining_s - _CLOSING_S / 2, 0.1)

    def _not_ready_because(self) -> str | None:
        waited_s = self._clock.monotonic() - self._started
        if self.rotator.ready or waited_s >= FIRST_OUTCOME_WITHIN_S:
            return None
        return "starting"


async def serve(
    loaded: Loaded[TokenServiceSettings], stop: Stop, *, clock: Clock, randomness: Randomness
) -> None:
    """Run the service until a stop is requested. Raises CannotStart."""
    async with open_service(loaded, stop, clock=clock, randomness=randomness) as service:
        await service.run()


@asynccontextmanager
async def open_service(
    loaded: Loaded[TokenServiceSettings], stop: Stop, *, clock: Clock, randomness: Randomness
) -> AsyncIterator[TokenService]:
    """Open the store and wire a service that doesn't run yet. Raises CannotStart."""
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        sealer = Sealer([key.reveal() for key in settings.encryption_keys])
        store = await _open_store(loaded, sealer, clock, randomness)
        stack.push_async_callback(store.close)
        transport = WeChatTransport(settings.wechat.base_urls, clock=clock)
        stack.push_async_callback(transport.close)
        opaque = await asyncio.to_thread(opaque_tokens, loaded, randomness)
        service = TokenService(
            loaded,
            store,
            transport,
            stop,
            opaque=opaque,
            sealer=sealer,
            clock=clock,
            randomness=randomness,
        )
        stack.callback(service.faces.close)
        with suppress(StoreUnavailable):
            await service.revocations.look()
            await tell_if_frozen(store)
        yield service


async def _open_store(
    loaded: Loaded[TokenServiceSettings], sealer: Sealer, clock: Clock, randomness: Randomness
) -> MovableTokenStore:
    settings = loaded.settings
    try:
        return await open_token_store(
            settings.store,
            base=loaded.base,
            clock=clock,
            randomness=randomness,
            sealer=sealer,
        )
    except (StoreUnavailable, StoreUrlError) as trouble:
        if isinstance(trouble, CannotStart):
            raise
        raise CannotStart(f"store: {trouble}") from trouble
