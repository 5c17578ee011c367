"""The gateway that is attacked: one process with an account in each mode, asked without a loop."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.callback_gateway.fuzz.parties import PARTIES
from tests.callback_gateway.world.handlers import SIGNING_SECRET, HandlerProcess
from tests.fixtures.processes import Child, Launch, spawn
from tests.fixtures.redis import free_port

REPLY = "欢迎光临"
_OPENED = '"name":"internal"'
_START_S = 30.0
_ANSWER_S = 10.0
_ROW = re.compile(
    r'^callback_gateway_callbacks_total\{account="(\w+)",outcome="(\w+)"\} (\S+)', re.MULTILINE
)


@dataclass(frozen=True)
class Attacked:
    """`recorder` is a path of the handler that gets a copy of every event."""

    child: Child = field(repr=False)
    port: int
    internal_port: int
    handler: HandlerProcess
    recorder: str

    @property
    def memory_bytes(self) -> int:
        """What is resident."""
        pages = Path(f"/proc/{self.child.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(_get(self.internal_port, "/v1/status"))
        return document

    def answered(self) -> dict[tuple[str, str], int]:
        """Callbacks that were answered, by account and outcome; those refused aren't in it."""
        rows = _ROW.findall(_get(self.internal_port, "/metrics").decode())
        return {(account, outcome): int(float(count)) for account, outcome, count in rows}

    def recorded(self) -> list[dict[str, Any]]:
        """The events that the recorder got so far."""
        calls = json.loads(_get(self.handler.port, f"/_calls/{self.recorder}"))
        return [call["event"] for call in calls]


@contextmanager
def attacked(
    folder: Path,
    handler: HandlerProcess,
    routes: list[Any],
    *,
    answer_within: str = "4500ms",
    launch: Launch = spawn,
) -> Iterator[Attacked]:
    """`routes` answer; one behind them has every event recorded."""
    folder.mkdir(parents=True, exist_ok=True)
    for party in PARTIES:
        (folder / f"{party.name}.token").write_text(party.token)
        (folder / f"{party.name}.aes").write_text(party.aes_key)
    port, internal_port, recorder = free_port(), free_port(), folder.name
    target = {"url": handler.url(recorder), "secret": {"env": "TARGET_SECRET"}}
    config = folder / "callback_gateway.yaml"
    document = {
        "listen": f"127.0.0.1:{port}",
        "internal_listen": f"127.0.0.1:{internal_port}",
        "store": "sqlite:///events.db",
        "durability": "process",
        "answer_within": answer_within,
        "drain": "0s",
        "accounts": [party.settings() for party in PARTIES],
        "targets": {"recorder": target},
        "routes": [*routes, {"match": {}, "notify": "recorder"}],
    }
    config.write_text(json.dumps(document, ensure_ascii=False))
    words = [sys.executable, "-m", "callback_gateway", "run", "--config", str(config)]
    environ = {**os.environ, "TARGET_SECRET": SIGNING_SECRET}
    child = Child(words, environ=environ, tail_lines=None, launch=launch)
    try:
        child.wait_for_line(_OPENED, timeout_s=_START_S)
        yield Attacked(child, port, internal_port, handler, recorder)
    finally:
        child.terminate()


def _get(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body
    finally:
        connection.close()
