"""A target of the gateway that takes every event at once and remembers its id.

`python -m tests.bench.gateway_sink` prints its port and serves until its input ends; GET / answers
how many different ids have come.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def serve() -> None:
    ids: set[str] = set()

    async def take(request: web.Request) -> web.Response:
        await request.read()
        ids.add(request.headers["webhook-id"])
        return web.Response(status=204)

    async def count(_request: web.Request) -> web.Response:
        return web.Response(text=str(len(ids)))

    app = web.Application()
    app.router.add_post("/", take)
    app.router.add_get("/", count)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
