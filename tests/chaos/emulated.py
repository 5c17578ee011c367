"""WeChat as a process of its own, and what a test asks and tells it: faults, accounts, ledger."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.fixtures.processes import Child

TOKEN_PATHS = ("/cgi-bin/token", "/cgi-bin/stable_token")
_OPENED = '"event":"listener_opened"'


@dataclass(frozen=True)
class EmulatorProcess:
    child: Child = field(repr=False)
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def emulator_process(
    folder: Path, setup: Mapping[str, Any] | None = None
) -> Iterator[EmulatorProcess]:
    """`setup` is the emulator's configuration file, as docs/emulator.md describes it."""
    words = [sys.executable, "-m", "zhongkong", "emulator", "--port", "0"]
    if setup is not None:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "emulator.yaml"
        config.write_text(json.dumps(setup))
        words += ["--config", str(config)]
    child = Child(words, tail_lines=None)
    try:
        line = child.wait_for_line(_OPENED)
        yield EmulatorProcess(child, json.loads(line)["port"])
    finally:
        child.terminate()


@dataclass(frozen=True)
class WeChat:
    """The control calls. The ledger is the judge of every test here."""

    process: EmulatorProcess
    session: aiohttp.ClientSession = field(repr=False)

    async def control(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self.process.url}/_emulator{path}"
        async with self.session.request(method, url, json=body) as response:
            answer = await response.json(content_type=None)
            assert response.status == 200, answer
            return answer

    async def ledger(self, kind: str, appid: str) -> list[dict[str, Any]]:
        query = f"?kind={kind}&appid={appid}&since=0&count=10000"
        answer = await self.control("GET", f"/ledger{query}")
        entries: list[dict[str, Any]] = answer["entries"]
        assert not answer["left_off"]
        return entries

    async def issued(self, appid: str) -> list[str]:
        """Every token that was made for this account, in order."""
        return [entry["value"] for entry in await self.ledger("issued", appid)]

    async def requests(self, appid: str) -> list[str]:
        """The paths of all requests made for this account, in order."""
        return [entry["path"] for entry in await self.ledger("request", appid)]

    async def token_calls(self, appid: str) -> int:
        """How many requests for a token were made for this account."""
        return sum(path in TOKEN_PATHS for path in await self.requests(appid))

    async def ends_at(self, value: str) -> float:
        """When this token ends or ended; 0 when it was never issued."""
        life = await self.control("POST", "/ledger/tokens", {"value": value})
        return float(life["ends_at"] or 0.0)

    async def hold_answers(self, appid: str, seconds: float, *, count: int | None = None) -> None:
        """Token calls of this account take effect at once and are answered so much later."""
        delay = {"shape": "fixed", "low_s": seconds}
        fault = {"kind": "latency", "path": "/cgi-bin/*token", "when": "after", "delay": delay}
        await self.control("POST", "/faults", {**fault, "appid": appid, "count": count})

    async def clear_faults(self) -> None:
        await self.control("DELETE", "/faults")


@asynccontextmanager
async def wechat(process: EmulatorProcess) -> AsyncIterator[WeChat]:
    async with aiohttp.ClientSession() as session:
        yield WeChat(process, session)
