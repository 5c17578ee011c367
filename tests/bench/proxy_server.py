"""The three servers of the benchmark `proxy_call`, each in a process of its own.

`python -m tests.bench.proxy_server bare|ours|wechat CORE KEY UPSTREAM_PORT` prints its port and the
path to ask for, and serves until its input ends. `ours` is the real proxy over the real rotation;
`wechat` answers a small JSON at once; `bare` does the same and is what `ours` is measured against.
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
from token_service.opaque import NONCE_BYTES, OpaqueTokens
from token_service.outcome import Minted, Outcome
from token_service.plan import AccountPlan
from token_service.proxy.faces import Faces
from token_service.proxy.parts import Around, make_parts
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

PATH = "/cgi-bin/menu/get"
BODY = b'{"menu":{"button":[{"type":"click","name":"x","key":"' + b"k" * 200 + b'"}]}}'


class InstantWeChat:
    """Mints at once."""

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        return Minted("t" * 136, 7200.0)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        return Verdict.ALIVE


async def serve_bare() -> None:
    """As short as an aiohttp handler can be."""

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=BODY, content_type="application/json")

    app = web.Application()
    app.router.add_get(PATH, handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.freeze()
    print(runner.addresses[0][1], f"{PATH}?access_token={'o' * 100}", flush=True)
    await _until_input_ends()
    await runner.cleanup()


async def serve_ours(key: str, upstream_port: int) -> None:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        logs.configure("token_service", stream=log, json=True)
        await _serve_ours(_settings(Path(folder), key, upstream_port))
        logs.close()


async def _serve_ours(settings: TokenServiceSettings) -> None:
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
    opaque = OpaqueTokens(["k" * 32])
    nonce = bytes.fromhex(randomness.token(NONCE_BYTES))
    token = opaque.mint("orders", "shop", "access_token", now=clock.now(), nonce=nonce)
    async with TaskOwner(clock, randomness) as tasks:
        directory = configured.directory(settings)
        faces = Faces(
            make_parts(
                rotator,
                directory,
                opaque,
                Around(tasks, room, clock, randomness, {}),
                settings=settings.proxy,
                base_urls=settings.wechat.base_urls,
            )
        )
        metrics.register(faces.tallies)
        api = Api(
            rotator,
            directory,
            room=room,
            tallies=metrics.tallies,
            tasks=tasks,
            clock=clock,
            faces=faces,
        )
        tasks.keep("rotation", rotator.run)
        async with await Listeners.open([Listener(api.app, "127.0.0.1", 0, "client")]) as listeners:
            gc.freeze()
            print(listeners.port("client"), f"{PATH}?access_token={token}", flush=True)
            await _until_input_ends()
            rotator.stop()
        faces.close()


def _settings(folder: Path, key: str, upstream_port: int) -> TokenServiceSettings:
    (folder / "secret").write_text("0123456789abcdef0123456789abcdef")
    path = folder / "token_service.yaml"
    path.write_text(f"""
store: memory://
wechat: {{base_urls: ["http://127.0.0.1:{upstream_port}"]}}
accounts: [{{name: shop, appid: wx0123456789abcdef, secret: {{file: secret}}}}]
clients:
  - name: orders
    key_sha256: {digest_of_key(key)}
    accounts: [shop]
    verbs: [proxy]
    proxy_paths: ["/cgi-bin/**"]
""")
    return load(TokenServiceSettings, path, {}, prefix=ENV_PREFIX).settings


async def _until_input_ends() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    which, core, bearer, upstream = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    uvloop.run(serve_ours(bearer, int(upstream)) if which == "ours" else serve_bare())
