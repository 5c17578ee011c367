"""Handler processes: started, ended, and asked what came to them."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.callback_gateway.world.handler import LISTENING, SECRET_VARIABLE
from tests.fixtures.processes import Child, Launch, spawn

SIGNING_SECRET = "whsec_" + base64.b64encode(b"signs all that targets of tests get").decode()
_START_S = 20.0


@dataclass(frozen=True)
class Call:
    """One delivery: when it arrived (Unix seconds), and the event once its signature was good."""

    at: float
    webhook_id: str
    event: dict[str, Any] = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.event["data"]
        return data

    @property
    def redriven(self) -> bool:
        return self.event.get("redriven") is True


@dataclass(frozen=True)
class HandlerProcess:
    child: Child = field(repr=False)
    port: int

    def url(self, name: str, **behaviour: object) -> str:
        """Where the target `name` is; `behaviour` as in the module handler."""
        return handler_url(self.port, name, **behaviour)

    async def calls(self, session: aiohttp.ClientSession, name: str) -> list[Call]:
        """All deliveries to `name` so far. Fails when a signature was not good."""
        async with session.get(f"http://127.0.0.1:{self.port}/_calls/{name}") as response:
            calls = await response.json()
        assert [call["refused"] for call in calls if "refused" in call] == []
        return [Call(**call) for call in calls if "event" in call]


def handler_url(port: int, name: str, **behaviour: object) -> str:
    query = urlencode({key: str(value) for key, value in behaviour.items()})
    return f"http://127.0.0.1:{port}/{name}?{query}"


@contextmanager
def handler_process(port: int = 0, *, launch: Launch = spawn) -> Iterator[HandlerProcess]:
    """A handler on that port; 0 takes a free one."""
    words = [sys.executable, "-m", "tests.callback_gateway.world.handler", "--port", str(port)]
    environ = {**os.environ, SECRET_VARIABLE: SIGNING_SECRET}
    child = Child(words, environ=environ, launch=launch)
    try:
        line = child.wait_for_line(LISTENING, timeout_s=_START_S)
        yield HandlerProcess(child, int(line.removeprefix(LISTENING)))
    finally:
        child.kill()
