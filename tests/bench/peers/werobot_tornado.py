"""An unmodified WeRoBot under tornado whose handler has no reply: it checks, decrypts, parses.

It keeps no sessions and logs no warnings, which spares it work.
`python -m tests.bench.peers.werobot_tornado` prints its port and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from werobot import WeRoBot
from werobot.contrib.tornado import make_handler

from tests.bench.gateway_messages import AES_KEY, APPID, PATH, TOKEN


def application() -> Application:
    robot = WeRoBot(token=TOKEN, app_id=APPID, encoding_aes_key=AES_KEY)
    robot.config["SESSION_STORAGE"] = False
    robot.add_handler(lambda _message: None)
    robot.logger.setLevel(logging.ERROR)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    return Application([(PATH, make_handler(robot))])


async def serve() -> None:
    server = HTTPServer(application())
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    gc.freeze()
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.stop()
    await server.close_all_connections()


if __name__ == "__main__":
    asyncio.run(serve())
