"""One `token-service run` as a process: how to start, end and ask it, and all that it ever said.

Where its processes come from is said by whoever makes it: from a start of Python, or forked from a
process that has loaded the code.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.fixtures.processes import Child, Launch, spawn

OPENED = '"name":"internal"'
ADMIN_KEY_VARIABLE = "ZHONGKONG_ADMIN_KEY"
_START_S = 60.0
_SERVICE = (sys.executable, "-m", "token_service")


@dataclass(frozen=True)
class Answer:
    """What a reader got. `document` is the token's or the problem's."""

    status: int
    document: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def version(self) -> str:
        return str(self.document["version"])

    @property
    def value(self) -> str:
        return str(self.document["value"])


@dataclass(frozen=True)
class Finished:
    """A command that came to its end."""

    code: int
    output: str


async def run_command(*words: str, environ: Mapping[str, str], launch: Launch = spawn) -> Finished:
    """`token-service …`; standard output and error together."""
    child = Child(
        [*_SERVICE, *words], environ={**os.environ, **environ}, tail_lines=None, launch=launch
    )
    try:
        code = await asyncio.to_thread(child.wait, _START_S)
    finally:
        child.kill()
    return Finished(code, child.output)


@dataclass
class Replica:
    config: Path
    port: int
    internal_port: int
    client_key: str = field(repr=False)
    admin_key: str = field(repr=False)
    session: aiohttp.ClientSession = field(repr=False)
    process_of: Launch = field(repr=False)
    environ: dict[str, str] = field(default_factory=dict, repr=False)
    said: list[str] = field(default_factory=list, repr=False)
    """Output of its former processes and commands, status documents, metrics."""
    _child: Child | None = None

    @property
    def child(self) -> Child:
        assert self._child is not None, "never started"
        return self._child

    @property
    def log(self) -> str:
        """What the process of now has printed."""
        return self.child.output

    async def launch(self) -> None:
        """Start; nothing is waited for."""
        if self._child is not None:
            self.said.append(self._child.output)
        words = [*_SERVICE, "run", "--config", str(self.config)]
        environ = {**os.environ, **self.environ}
        self._child = Child(words, environ=environ, tail_lines=None, launch=self.process_of)

    async def start(self) -> None:
        """Start; returns when both listeners are open."""
        await self.launch()
        await self.says(OPENED)

    async def says(self, text: str) -> None:
        """Returns when the process of now has printed a line with it."""
        await asyncio.to_thread(self.child.wait_for_line, text, timeout_s=_START_S)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait; returns the exit code."""
        self.child.send(number)
        return await self.ended()

    async def ended(self) -> int:
        return await asyncio.to_thread(self.child.wait, _START_S)

    async def restart(self, number: signal.Signals) -> None:
        await self.end(number)
        await self.start()

    def kill(self) -> None:
        """SIGKILL, whatever it is doing. May be repeated."""
        if self._child is not None:
            self._child.kill()

    def everything_said(self) -> str:
        return "\n".join([*self.said, self.log if self._child else ""])

    async def get(self, account: str, query: str = "") -> Answer:
        return await self._ask("GET", f"{_token(account)}{query}")

    async def rotate(self, account: str) -> Answer:
        return await self._ask("POST", f"{_token(account)}/rotations", {"reason": "a test"})

    async def reject(self, account: str, version: str) -> Answer:
        report = {"version": version, "errcode": 40001}
        return await self._ask("POST", f"{_token(account)}/rejections", report)

    async def status(self) -> dict[str, Any]:
        text = await self._internal("/v1/status")
        document: dict[str, Any] = json.loads(text)
        return document

    async def slot(self, account: str) -> dict[str, Any]:
        """The part of the status that is about this account's token."""
        tokens: list[dict[str, Any]] = (await self.status())["tokens"]
        return next(token for token in tokens if token["account"] == account)

    async def reaches_store(self) -> bool:
        return bool((await self.status())["store"]["reachable"])

    async def metrics(self) -> str:
        return await self._internal("/metrics")

    async def command(self, *words: str) -> Finished:
        """A command of the service with this replica's configuration."""
        environ = {**self.environ, ADMIN_KEY_VARIABLE: self.admin_key, "COLUMNS": "4000"}
        words = (*words, "--config", str(self.config))
        finished = await run_command(*words, environ=environ, launch=self.process_of)
        self.said.append(finished.output)
        return finished

    async def _ask(self, method: str, path: str, body: object = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.client_key}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            document = await response.json(content_type=None)
            return Answer(response.status, document, response.headers)

    async def _internal(self, path: str) -> str:
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        url = f"http://127.0.0.1:{self.internal_port}{path}"
        async with self.session.get(url, headers=headers) as response:
            text = await response.text()
            assert response.status == 200, text
            self.said.append(text)
            return text


def _token(account: str) -> str:
    return f"/v1/accounts/{account}/tokens/access_token"
