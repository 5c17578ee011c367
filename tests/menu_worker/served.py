"""A shop on disk: configuration, desired files, and a token service's proxy before the model."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yaml
from aiohttp import web

from menu_worker.app import MenuWorker, open_worker
from menu_worker.cli import main
from menu_worker.menu import Menu
from menu_worker.settings import ENV_PREFIX, MenuWorkerSettings
from tests.fixtures.redis import free_port
from tests.menu_worker.fleets import FleetWorld
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.settings import Loaded, load

KEY = "menus-key-0123456789abcdefghijklmn"
ADMIN = "admin-key-0123456789abcdefghijklmn"


@dataclass
class Shop:
    """`config` is as it was written last; `away` accounts get a 503 of the token service."""

    folder: Path
    world: FleetWorld
    config: Path
    internal_port: int
    away: set[str] = field(default_factory=set)

    def desire(self, name: str, menu: Menu) -> Path:
        """Write an account's desired file."""
        path = self.folder / "menus" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        document = {"account": name, **menu.document()}
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return path

    def configure(self, **settings: Any) -> Path:
        """Write the configuration; YAML reads JSON too."""
        document = {**orjson.loads(self.config.read_bytes()), **settings}
        self.config.write_bytes(orjson.dumps(document))
        return self.config

    def loaded(self) -> Loaded[MenuWorkerSettings]:
        return load(MenuWorkerSettings, self.config, {}, prefix=ENV_PREFIX)

    async def command(self, *words: str) -> int:
        """Run a command beside the loop that serves it."""
        return await asyncio.to_thread(main, [*words, "--config", str(self.config)])

    async def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = ADMIN
    ) -> tuple[int, Any]:
        """The internal listener's answer."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        url = f"http://127.0.0.1:{self.internal_port}{path}"
        data = None if body is None else orjson.dumps(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=data, headers=headers) as response,
        ):
            text = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, orjson.loads(text) if is_json else text.decode()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[MenuWorker]:
        """`menu-worker run` in this loop, once its listener is open."""
        loaded = self.loaded()
        stop = Stop(grace_s=loaded.settings.grace)
        clock, randomness = SystemClock(), SystemRandomness()
        async with open_worker(loaded, stop, clock=clock, randomness=randomness) as worker:
            work = asyncio.ensure_future(worker.run())
            opened = asyncio.ensure_future(worker.opened.wait())
            await asyncio.wait({work, opened}, return_when="FIRST_COMPLETED")
            if work.done():
                work.result()
            try:
                yield worker
            finally:
                stop.request("end of test")
                await work


@asynccontextmanager
async def open_shop(folder: Path, *names: str, **switches: Any) -> AsyncIterator[Shop]:
    """Nothing is desired yet."""
    world = FleetWorld(*(names or ("shop",)), clock=SystemClock(), **switches)
    shop = Shop(folder, world, folder / "menu_worker.yaml", free_port())
    app = web.Application()
    app.router.add_route("*", "/v1/accounts/{account}/wechat/{path:.*}", _Proxy(shop).answer)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "tokens")]) as listeners:
        (folder / "key").write_text(KEY)
        link = {"url": f"http://127.0.0.1:{listeners.port('tokens')}", "key": {"file": "key"}}
        document: Mapping[str, Any] = {
            "internal_listen": f"127.0.0.1:{shop.internal_port}",
            "admin_key_sha256": hashlib.sha256(ADMIN.encode()).hexdigest(),
            "store": "sqlite:///menus.db",
            "token_service": link,
            "menus": ["menus/*.yaml"],
            "instance": "worker-1",
        }
        shop.config.write_bytes(orjson.dumps(document))
        yield shop


class _Proxy:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def answer(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise Problem(401, detail="The key is unknown.")
        if account in self._shop.away:
            raise Problem(503, detail="There is no live token.", headers={"Retry-After": "1"})
        body = await request.json() if request.can_read_body else None
        path = f"/{request.match_info['path']}"
        self._shop.world.caller.calls.append((account, path))
        return web.json_response(self._shop.world.caller.direct(account, path, body))
