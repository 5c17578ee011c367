"""As short as a POST handler of aiohttp can be: it reads the body and sends it back.

`python -m tests.bench.gateway_bare` prints its port and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import gc
import sys

import uvloop
from aiohttp import web

from tests.bench.gateway_messages import PATH


async def serve() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_post(PATH, handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gc.freeze()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
