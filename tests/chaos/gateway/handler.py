"""A receiver of events, as a process: `python -m tests.chaos.gateway.handler PORT RECORD`.

It trusts nobody: what the published library of Standard Webhooks doesn't verify is refused. An
event is answered with 204 once that it came is on disk, so that the record outlives any death of
this process. What a line of the record says is read in receipts.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from zhongkong.runtime.clock import SystemClock

SECRET_VARIABLE = "HANDLER_SECRET"
LISTENING = "handler_listening"
HELD = "hold this one"
"""An event whose text begins so is not answered when it comes for the first time."""

CAME, DONE, FORGED = "came", "done", "forged"

_TAKES_S = 0.05
"""So that attempts are under way whenever something is killed."""
_HELD_FOR_S = 120.0
_HELD_ID = re.compile(r'"held": true, "id": "([^"]+)"')
_CLOCK = SystemClock()


class Record:
    """The append-only file. A line that a death cut off is ended by the next process."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self.held = set(_HELD_ID.findall(path.read_text()))
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            os.write(self._descriptor, b"\n")

    def write(self, what: str, facts: Mapping[str, Any], *, to_disk: bool = False) -> None:
        line = json.dumps({"what": what, "at": _CLOCK.now(), **facts}, ensure_ascii=False)
        os.write(self._descriptor, f"{line}\n".encode())
        if to_disk:
            os.fsync(self._descriptor)


class Handler:
    def __init__(self, record: Record, secret: str) -> None:
        self._record = record
        self._webhook = Webhook(secret)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            event = self._webhook.verify(body, dict(request.headers))
        except WebhookVerificationError as flaw:
            self._record.write(FORGED, {"why": str(flaw)})
            return web.Response(status=400)
        webhook_id, data = request.headers["webhook-id"], event["data"]
        key = [data[name] for name in ("to_user_name", "from_user_name", "create_time", "msg_id")]
        held = data["content"].startswith(HELD) and webhook_id not in self._record.held
        facts = {"held": held, "id": webhook_id, "key": key, "spooled": "spooled" in event}
        self._record.write(CAME, facts)
        if held:
            self._record.held.add(webhook_id)
            await asyncio.sleep(_HELD_FOR_S)
        await asyncio.sleep(_TAKES_S)
        self._record.write(DONE, facts, to_disk=True)
        return web.Response(status=204)


async def main(port: int, record: Path, secret: str) -> None:
    app = web.Application()
    app.router.add_post("/", Handler(Record(record), secret).take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"{LISTENING}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), os.environ[SECRET_VARIABLE]))
