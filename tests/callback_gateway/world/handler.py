"""A business handler as a process: verifies what it gets with the published library, and answers.

    python -m tests.callback_gateway.world.handler --port 0

The path is a name, the query says how to answer: `/crm?seconds=2.4&says=好`, `/crm?status=500`.
`GET /_calls/crm` tells all that came there, in order. The secret is in HANDLER_SECRET.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections import defaultdict
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from zhongkong.runtime.clock import SystemClock

SECRET_VARIABLE = "HANDLER_SECRET"
LISTENING = "the handler listens on "
_CLOCK = SystemClock()


class Handler:
    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)
        self._calls: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**21)
        app.router.add_get("/_calls/{name}", self.calls)
        app.router.add_post("/{name}", self.take)
        return app

    async def calls(self, request: web.Request) -> web.Response:
        return web.json_response(self._calls[request.match_info["name"]])

    async def take(self, request: web.Request) -> web.Response:
        at, body = _CLOCK.now(), await request.read()
        call: dict[str, Any] = {"at": at, "webhook_id": request.headers.get("webhook-id")}
        self._calls[request.match_info["name"]].append(call)
        try:
            call["event"] = self._webhook.verify(body, dict(request.headers))
        except WebhookVerificationError as refused:
            call["refused"] = str(refused)
            return web.Response(status=401)
        await asyncio.sleep(float(request.query.get("seconds", "0")))
        status = int(request.query.get("status", "200"))
        if status != 200 or "says" not in request.query:
            return web.Response(status=204 if status == 200 else status)
        return web.json_response({"reply": {"type": "text", "content": request.query["says"]}})


async def _serve(port: int) -> None:
    runner = web.AppRunner(Handler(os.environ[SECRET_VARIABLE]).app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
    await site.start()
    print(f"{LISTENING}{site.port}", flush=True)  # noqa: T201 - how the test learns the port
    await asyncio.Event().wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=0)
    asyncio.run(_serve(arguments.parse_args().port))
