"""A whole token service in the test's own loop, with an emulated WeChat behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.fixtures.redis import free_port
from token_service.app import TokenService, open_service
from token_service.keys import digest_of_key
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.emulator.server import make_app
from zhongkong.emulator.world import DEFAULT_ACCOUNT, Setup, World
from zhongkong.runtime.clock import Clock, SystemClock, SystemRandomness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings import load

KEY = "orders-key-0123456789abcdefghij"
TOKEN = "/v1/accounts/shop/tokens/access_token"
STABLE_TOKEN = "/cgi-bin/stable_token"


@dataclass
class WeChat:
    world: World
    port: int

    @property
    def token_calls(self) -> int:
        return self.world.model.ledger.calls(STABLE_TOKEN)


@asynccontextmanager
async def wechat() -> AsyncIterator[WeChat]:
    world = World(Setup(), SystemClock(), seed=1)
    listener = Listener(make_app(world), "127.0.0.1", 0, "emulator")
    async with await Listeners.open([listener]) as listeners:
        yield WeChat(world, listeners.port("emulator"))


def write_config(
    folder: Path,
    wechat_port: int,
    *,
    extra: str = "",
    verbs: str = "read",
    store: str = "sqlite:///tokens.db",
) -> Path:
    """A configuration on free ports; an older one's ports are kept."""
    path = folder / "token_service.yaml"
    if path.exists():
        head = path.read_text().partition("accounts:")[0]
    else:
        (folder / "secret").write_text(str(DEFAULT_ACCOUNT.secret))
        (folder / "opaque").write_text("shared-by-all-replicas-0123456789abcdef")
        head = f"""\
listen: 127.0.0.1:{free_port()}
internal_listen: 127.0.0.1:{free_port()}
store: {store}
wechat: {{base_urls: ["http://127.0.0.1:{wechat_port}"]}}
grace: 2s
"""
        if store.startswith("redis"):
            head += "opaque_token_keys: [{file: opaque}]\nrotation: {reseed_grace: 100ms}\n"
    path.write_text(f"""{head}accounts:
  - {{name: shop, appid: {DEFAULT_ACCOUNT.appid}, secret: {{file: secret}}}}
clients:
  - {{name: orders, key_sha256: {digest_of_key(KEY)}, accounts: [shop], verbs: [{verbs}]}}
{extra}""")
    return path


@dataclass
class Running:
    """A running service and how to ask it."""

    service: TokenService
    stop: Stop
    session: aiohttp.ClientSession
    port: int
    internal_port: int

    async def token(self, query: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {KEY}"}
        url = f"http://127.0.0.1:{self.port}{TOKEN}{query}"
        async with self.session.get(url, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def internal(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"http://127.0.0.1:{self.internal_port}{path}") as response:
            return response.status, await response.json(content_type=None)

    async def look_at_config(self) -> None:
        """What the watcher does once in a second; twice, for a change just made may be settling."""
        for _ in range(2):
            await self.service.reload.watcher.look()


@asynccontextmanager
async def running(path: Path, clock: Clock | None = None) -> AsyncIterator[Running]:
    loaded = load(TokenServiceSettings, path, {}, prefix=ENV_PREFIX)
    stop = Stop(grace_s=loaded.settings.grace)
    clock = clock or SystemClock()
    async with (
        aiohttp.ClientSession() as session,
        open_service(loaded, stop, clock=clock, randomness=SystemRandomness()) as service,
    ):
        work = asyncio.ensure_future(service.run())
        await asyncio.wait(
            {work, asyncio.ensure_future(service.opened.wait())}, return_when="FIRST_COMPLETED"
        )
        if work.done():
            work.result()
        try:
            settings = loaded.settings
            yield Running(
                service, stop, session, settings.listen.port, settings.internal_listen.port
            )
        finally:
            stop.request("end of test")
            await work
