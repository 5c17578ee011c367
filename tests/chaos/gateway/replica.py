"""One `callback-gateway run` as a process: how to start, end and ask it, and all that it said."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.gateway.asking import in_time
from tests.chaos.gateway.front import Backend
from tests.chaos.gateway.stores import held, spooled
from tests.fixtures.processes import Child, Launch, spawn

START_S = 30.0
_END_S = 30.0
_LOOK_EVERY_S = 0.1
_PREFIX = "callback_gateway_"


@dataclass
class Replica:
    config: Path
    port: int
    internal_port: int
    session: aiohttp.ClientSession = field(repr=False)
    said: list[str] = field(default_factory=list, repr=False)
    """Output of its former processes, status documents, metrics."""
    wrapper: Sequence[str] = ()
    """Words that go before the command's own."""
    process_of: Launch = field(default=spawn, repr=False)
    _child: Child | None = None

    @property
    def child(self) -> Child:
        assert self._child is not None, "never started"
        return self._child

    @property
    def log(self) -> str:
        """What the process of now has printed."""
        return self.child.output

    @property
    def backend(self) -> Backend:
        return Backend(self.port, self.is_ready)

    async def launch(self) -> None:
        """Start; nothing is waited for."""
        if self._child is not None:
            self.said.append(self._child.output)
        command = [sys.executable, "-m", "callback_gateway", "run", "--config", str(self.config)]
        words = [*self.wrapper, *command]
        self._child = Child(words, tail_lines=None, launch=self.process_of)

    async def start(self) -> None:
        """Start; returns when it is ready."""
        await self.launch()
        await self.ready()

    async def ready(self, *, within_s: float = START_S) -> None:
        async def look() -> bool:
            assert self.child.running, self.log
            return await self.is_ready()

        await in_time(look, "the gateway is ready", within_s=within_s, every_s=_LOOK_EVERY_S)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait; returns the exit code."""
        self.child.send(number)
        return await self.ended()

    async def ended(self) -> int:
        return await asyncio.to_thread(self.child.wait, _END_S)

    def kill(self) -> None:
        """SIGKILL, whatever it is doing. May be repeated."""
        if self._child is not None:
            self._child.kill()

    def everything_said(self) -> str:
        return "\n".join([*self.said, self.log if self._child else ""])

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of that name, over all its processes."""
        mark = f'"event":"{name}"'
        return [json.loads(line) for line in self.everything_said().splitlines() if mark in line]

    async def is_ready(self) -> bool:
        """Whether /readyz says so; false as well when nobody answers."""
        try:
            async with self.session.get(self._url("/readyz")) as response:
                return response.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(await self._ask("/v1/status"))
        return document

    async def is_empty(self) -> bool:
        """Whether neither its store nor its spool holds anything. It has to run."""
        settings, folder = json.loads(self.config.read_text()), self.config.parent
        root = Path(f"/proc/{self.child.pid}/root" if self.wrapper else "/")
        return (
            spooled(settings["spool"], folder, root) == 0
            and await held(settings["store"], folder, root) == 0
        )

    async def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        text = await self._ask("/metrics")
        found = re.search(rf"^{_PREFIX}{name} (\S+)$", text, re.MULTILINE)
        assert found is not None, f"{name} is none of the metrics"
        return float(found[1])

    async def _ask(self, path: str) -> str:
        async with self.session.get(self._url(path)) as response:
            text = await response.text()
            assert response.status == 200, text
            self.said.append(text)
            return text

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.internal_port}{path}"
