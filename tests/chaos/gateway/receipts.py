"""The handler's process, and its record as a test reads it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.gateway.handler import CAME, DONE, FORGED, LISTENING, SECRET_VARIABLE
from tests.fixtures.processes import Child, Launch, spawn
from tests.fixtures.redis import free_port

_ROOT = Path(__file__).resolve().parents[3]
_START_S = 20.0

Key = tuple[str, str, int, str]
"""What makes a message that message: ToUserName, FromUserName, CreateTime, MsgId."""


@dataclass(frozen=True)
class Receipt:
    """One attempt as the handler saw it: that it came, and that it was done. Unix seconds."""

    at: float
    what: str
    id: str
    key: Key
    spooled: bool
    held: bool
    """The handler didn't answer this attempt."""


class Handler:
    """The process and its record, both of which outlive a kill: it is started again."""

    def __init__(self, folder: Path, secret: str, process_of: Launch = spawn) -> None:
        self.port = free_port()
        self.forged: list[str] = []
        """What the library refused; nothing of ours should be here."""
        self.record = folder / "record.jsonl"
        self.record.touch()
        self._secret = secret
        self._process_of = process_of
        self._child: Child | None = None
        self._offset = 0
        self._receipts: list[Receipt] = []
        self._delivered: set[Key] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        words = [sys.executable, "-m", "tests.chaos.gateway.handler"]
        self._child = Child(
            [*words, str(self.port), str(self.record)],
            cwd=_ROOT,
            environ={**os.environ, SECRET_VARIABLE: self._secret},
            launch=self._process_of,
        )
        await asyncio.to_thread(self._child.wait_for_line, LISTENING, timeout_s=_START_S)

    def kill(self) -> None:
        """SIGKILL. May be repeated."""
        if self._child is not None:
            self._child.kill()

    def receipts(self) -> list[Receipt]:
        """All that is in the record by now, in its order; only what is new is read."""
        with self.record.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._note(line)
        return self._receipts

    def came(self) -> list[Receipt]:
        return [each for each in self.receipts() if each.what == CAME]

    def done(self) -> list[Receipt]:
        """What was answered with 2xx, or would have been a moment later."""
        return [each for each in self.receipts() if each.what == DONE]

    def delivered(self) -> set[Key]:
        """Every message that was answered with 2xx at least once."""
        self.receipts()
        return self._delivered

    def _note(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return  # its process was killed while it wrote; it answered nobody
        if said["what"] == FORGED:
            self.forged.append(said["why"])
            return
        receiver, sender, create_time, msg_id = said["key"]
        key = (receiver, sender, create_time, msg_id)
        facts = (said["at"], said["what"], said["id"], key, said["spooled"], said["held"])
        self._receipts.append(Receipt(*facts))
        if said["what"] == DONE:
            self._delivered.add(key)
