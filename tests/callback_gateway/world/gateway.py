"""One `callback-gateway run` as a process: how to start, end and ask it, and all that it said.

Where the process comes from is said by whoever makes it. Commands are in commands.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.callback_gateway.world.commands import Finished, run_here, run_installed
from tests.chaos.patience import eventually
from tests.fixtures.processes import Child, Launch, spawn
from tests.fixtures.redis import free_port

ADMIN_KEY = "the-admin-key-of-gateways-in-tests-0123456789"
_ADMIN_KEY_VARIABLE = "ZHONGKONG_ADMIN_KEY"
_READY_S = 30.0


@dataclass
class Gateway:
    config: Path
    session: aiohttp.ClientSession = field(repr=False)
    environ: dict[str, str] = field(default_factory=dict, repr=False)
    process_of: Launch = field(default=spawn, repr=False)
    port: int = field(default_factory=free_port)
    internal_port: int = field(default_factory=free_port)
    said: list[str] = field(default_factory=list, repr=False)
    """Output of its former processes, status documents, metrics."""
    _child: Child | None = None

    @property
    def child(self) -> Child:
        assert self._child is not None, "never started"
        return self._child

    @property
    def callback_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/callback/shop"

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write its configuration; YAML reads JSON too."""
        document = {
            "listen": f"127.0.0.1:{self.port}",
            "internal_listen": f"127.0.0.1:{self.internal_port}",
            "admin_key_sha256": hashlib.sha256(ADMIN_KEY.encode()).hexdigest(),
            "store": "sqlite:///events.db",
            **settings,
        }
        self.write(json.dumps(document, indent=1, ensure_ascii=False))

    def write(self, text: str) -> None:
        """Put another file in the place of the configuration: nobody sees a half of it."""
        fresh = self.config.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.config)

    async def start(self) -> None:
        """Start; returns when it is ready."""
        words = [sys.executable, "-m", "callback_gateway", "run", "--config", str(self.config)]
        environ = {**os.environ, **self.environ}
        self._child = Child(words, environ=environ, tail_lines=None, launch=self.process_of)
        await eventually(self._ready, "the gateway is ready", within_s=_READY_S)

    def kill(self) -> None:
        """SIGKILL, whatever it is doing. May be repeated."""
        if self._child is not None:
            self._child.kill()

    async def end(self) -> int:
        """SIGTERM; returns the exit code."""
        self.child.send(signal.SIGTERM)
        return await asyncio.to_thread(self.child.wait)

    def everything_said(self) -> str:
        return "\n".join([*self.said, self._child.output if self._child else ""])

    async def status(self) -> dict[str, Any]:
        """What it knows; its view of the inbox is up to 5 s old."""
        document: dict[str, Any] = json.loads(await self._internal("GET", "/v1/status"))
        return document

    async def metrics(self) -> str:
        return await self._internal("GET", "/metrics")

    async def dead_letters(self, target: str) -> list[dict[str, Any]]:
        """All of a target, read page by page."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            path = f"/v1/dead-letters?target={target}&limit=200{after}"
            page = json.loads(await self._internal("GET", path))
            found += page["dead_letters"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    async def redrive(self, target: str) -> int:
        """By the API; what `redrive` does by the command."""
        text = await self._internal("POST", "/v1/dead-letters/redrive", {"target": target})
        return int(json.loads(text)["redriven"])

    async def command(
        self, *words: str, stdin: str = "", key: str = ADMIN_KEY, installed: bool = False
    ) -> Finished:
        """`callback-gateway …` with this gateway's configuration.

        `installed`: as one types it, in a process of its own; otherwise beside this loop.
        """
        environ = {**self.environ, "COLUMNS": "400", _ADMIN_KEY_VARIABLE: key}
        run = run_installed if installed else run_here
        return await asyncio.to_thread(run, [*words, "--config", str(self.config)], environ, stdin)

    async def _ready(self) -> bool:
        assert self.child.running, self.child.output
        try:
            async with self.session.get(self._address("/readyz")) as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def _internal(self, method: str, path: str, body: object = None) -> str:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with self.session.request(
            method, self._address(path), json=body, headers=headers
        ) as response:
            text = await response.text()
            assert response.status == 200, text
            self.said.append(text)
            return text

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.internal_port}{path}"
