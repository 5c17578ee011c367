"""The internal listener over an inbox in memory, with dead letters to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from callback_gateway import configured
from callback_gateway.depth_watch import DepthWatch
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import Arrival, Attempt, Dead, Keeping, Settlement
from callback_gateway.internal import make_internal_app
from callback_gateway.letters import Letters
from callback_gateway.metrics import GatewayMetrics
from callback_gateway.recent import Recent
from callback_gateway.rules import Rules
from callback_gateway.status import ProcessStatus, status_document
from tests.callback_gateway.settings_files import ADMIN, ADMIN_SHA, MINIMAL, loaded
from tests.fixtures.redis import free_port
from zhongkong.runtime.admin import Guard
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.listeners import Listener, Listeners

OWNER = "test"
USER = "oSomebody"


@dataclass
class World:
    """What listens, and what is behind it."""

    config: Path
    port: int
    inbox: MemoryInbox
    metrics: GatewayMetrics
    watch: DepthWatch
    rules: Rules
    session: aiohttp.ClientSession
    woken: list[str] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = ADMIN
    ) -> tuple[int, Any]:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        data = None if body is None else orjson.dumps(body)
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, data=data, headers=headers) as response:
            return response.status, orjson.loads(await response.read())

    async def bury(self, event_id: str, target: str = "trading", account: str = "shop") -> str:
        """A delivery that failed for good; returns the id of its dead letter."""
        document = orjson.dumps({"id": event_id, "subject": USER})
        await self.inbox.accept(
            [Arrival(event_id, account, document, notify=(target,))], owner=OWNER
        )
        (delivery,) = await self.inbox.lease({target: 1}, owner=OWNER)
        attempt = Attempt(delivery.now, 0.25, "http_500")
        await self.inbox.settle([Settlement(delivery, Dead("exhausted"), attempt)])
        return f"{event_id}.{target}"


@asynccontextmanager
async def internal_world(
    folder: Path, *, key: str | None = ADMIN_SHA, keeping: Keeping | None = None
) -> AsyncIterator[World]:
    """On a free port that the configuration names."""
    port = free_port()
    admin = "" if key is None else f"admin_key_sha256: {key}\n"
    found = loaded(folder, f"internal_listen: 127.0.0.1:{port}\n{admin}{MINIMAL}")
    clock, randomness, stop = SystemClock(), SystemRandomness(), Stop()
    inbox = MemoryInbox(clock, randomness, keeping or Keeping())
    metrics, rules = GatewayMetrics(clock), configured.rules(found)
    watch = DepthWatch(inbox, clock)
    metrics.show(watch)
    woken: list[str] = []
    process = ProcessStatus("replica-1", "memory://", "disk", None, notices=found.notices)
    app = make_internal_app(
        Guard([], key, service="callback_gateway"),
        Readiness(lambda: None, stop),
        Letters(inbox, lambda: rules.targets, lambda: woken.append("woken")),
        status=lambda: status_document(process, rules, metrics, watch, clock.now()),
        metrics=metrics.render,
        traffic=Recent(metrics.callbacks, clock).traffic,
        clock=clock,
        randomness=randomness,
    )
    async with (
        aiohttp.ClientSession() as session,
        await Listeners.open([Listener(app, "127.0.0.1", port, "internal")]),
    ):
        yield World(found.path, port, inbox, metrics, watch, rules, session, woken)
