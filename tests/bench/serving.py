"""What the servers of the benchmarks share: a bare aiohttp handler, and the real service wired up.

Each server is a process of its own on a core of its own: it prints its port and the target to ask
for, and serves until its input ends. The service rotates for real; its WeChat mints at once.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from aiohttp import web

from token_service import configured
from token_service.api import Api
from token_service.keys import digest_of_key
from token_service.metrics import ServiceMetrics
from token_service.outcome import Minted, Outcome
from token_service.plan import AccountPlan
from token_service.proxy.faces import Faces
from token_service.rotator import Rotator
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from token_service.slot import Call, Verdict
from token_service.stores.memory import MemoryTokenStore
from token_service.waiting import WaitingRoom
from zhongkong.runtime import logs
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings import load
from zhongkong.runtime.tasks import TaskOwner


class InstantWeChat:
    """Mints at once."""

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        return Minted("t" * 136, 7200.0)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        return Verdict.ALIVE


@dataclass(frozen=True)
class Parts:
    """The running service, all but its listener."""

    settings: TokenServiceSettings
    rotator: Rotator
    metrics: ServiceMetrics
    room: WaitingRoom
    tasks: TaskOwner
    clock: SystemClock
    randomness: SystemRandomness


@asynccontextmanager
async def rotating(key: str, client: str, *, more: str = "") -> AsyncIterator[Parts]:
    """Account `shop` and one client, `client` being what its entry says beside name and key."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        logs.configure("token_service", stream=log, json=True)
        settings = _settings(Path(folder), key, client, more)
        clock, randomness = SystemClock(), SystemRandomness()
        metrics, room = ServiceMetrics(), WaitingRoom(settings.waiters)
        rotator = Rotator(
            MemoryTokenStore(clock, randomness, shared=False),
            InstantWeChat(),
            configured.plans(settings),
            replica="bench",
            clock=clock,
            randomness=randomness,
            observer=metrics,
        )
        metrics.show(rotator.statuses, room)
        async with TaskOwner(clock, randomness) as tasks:
            tasks.keep("rotation", rotator.run)
            yield Parts(settings, rotator, metrics, room, tasks, clock, randomness)
            rotator.stop()
        logs.close()


async def serve(parts: Parts, target: str, faces: Faces | None = None) -> None:
    """Open the client listener, say where, and serve until the input ends."""
    api = Api(
        parts.rotator,
        configured.directory(parts.settings),
        room=parts.room,
        tallies=parts.metrics.tallies,
        tasks=parts.tasks,
        clock=parts.clock,
        faces=faces,
    )
    async with await Listeners.open([Listener(api.app, "127.0.0.1", 0, "client")]) as listeners:
        await _until_input_ends(listeners.port("client"), target)


async def serve_bare(path: str, body: bytes, query: str = "") -> None:
    """As short as an aiohttp handler can be."""

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get(path, handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await _until_input_ends(runner.addresses[0][1], path + query)
    await runner.cleanup()


def run(server: Coroutine[None, None, None], core: int) -> None:
    """Run a server on this core alone, where the system lets us choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    uvloop.run(server)


def _settings(folder: Path, key: str, client: str, more: str) -> TokenServiceSettings:
    (folder / "secret").write_text("0123456789abcdef0123456789abcdef")
    path = folder / "token_service.yaml"
    path.write_text(f"""
store: memory://
accounts: [{{name: shop, appid: wx0123456789abcdef, secret: {{file: secret}}}}]
clients: [{{name: orders, key_sha256: {digest_of_key(key)}, accounts: [shop], {client}}}]
{more}
""")
    return load(TokenServiceSettings, path, {}, prefix=ENV_PREFIX).settings


async def _until_input_ends(port: int, target: str) -> None:
    gc.freeze()
    print(port, target, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
