"""The two servers of the benchmark `token_get`, each in a process of its own.

`python -m tests.bench.token_server bare|ours CORE KEY` prints its port and serves until its input
ends. `ours` is the real API over the real rotation, with a WeChat that mints at once.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
from pathlib import Path

import uvloop
from aiohttp import web

from token_service import configured
from token_service.api import Api
from token_service.keys import digest_of_key
from token_service.metrics import ServiceMetrics
from token_service.outcome import Minted, Outcome
from token_service.plan import AccountPlan
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

PATH = "/v1/accounts/shop/tokens/access_token"
BODY = b'{"account":"shop","value":"' + b"x" * 136 + b'","padding":"' + b"y" * 160 + b'"}'


class InstantWeChat:
    """Mints at once."""

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        return Minted("t" * 136, 7200.0)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        return Verdict.ALIVE


async def serve_bare(key: str) -> None:
    """As short as an aiohttp handler can be."""

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=BODY, content_type="application/json")

    app = web.Application()
    app.router.add_get(PATH, handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.freeze()
    print(runner.addresses[0][1], flush=True)
    await _until_input_ends()
    await runner.cleanup()


async def serve_ours(key: str) -> None:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        logs.configure("token_service", stream=log, json=True)
        await _serve_ours(_settings(Path(folder), key))
        logs.close()


async def _serve_ours(settings: TokenServiceSettings) -> None:
    clock, randomness = SystemClock(), SystemRandomness()
    metrics = ServiceMetrics()
    room = WaitingRoom(settings.waiters)
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
        api = Api(
            rotator,
            configured.directory(settings),
            room=room,
            tallies=metrics.tallies,
            tasks=tasks,
            clock=clock,
        )
        tasks.keep("rotation", rotator.run)
        async with await Listeners.open([Listener(api.app, "127.0.0.1", 0, "client")]) as listeners:
            gc.freeze()
            print(listeners.port("client"), flush=True)
            await _until_input_ends()
            rotator.stop()


def _settings(folder: Path, key: str) -> TokenServiceSettings:
    (folder / "secret").write_text("0123456789abcdef0123456789abcdef")
    path = folder / "token_service.yaml"
    path.write_text(f"""
store: memory://
accounts: [{{name: shop, appid: wx0123456789abcdef, secret: {{file: secret}}}}]
clients: [{{name: orders, key_sha256: {digest_of_key(key)}, accounts: [shop]}}]
""")
    return load(TokenServiceSettings, path, {}, prefix=ENV_PREFIX).settings


async def _until_input_ends() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    which, core, bearer = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    uvloop.run({"bare": serve_bare, "ours": serve_ours}[which](bearer))
