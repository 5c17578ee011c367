"""A trading bot, which answers what users say and tap: copy it to begin a handler of your own.

It needs aiohttp and standardwebhooks, and nothing of Zhongkong:

    python trading_bot.py --port 8084 --secret-file trading.secret
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from itertools import cycle
from pathlib import Path
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

LOT = 100  # shares
REMEMBERED = 10_000
LONGEST_DELAY_S = 60

BUY = {"buy_in", "买入", "buy"}
SELL = {"sell_out", "卖出", "sell"}
HOLD = {"holdings", "持仓", "hold"}
HELP = "没听懂。发送“买入”“卖出”或“持仓”，也可以点下方菜单。"
WELCOME = "欢迎关注！发送“买入”“卖出”或“持仓”试试。"

log = logging.getLogger("trading_bot")


class Bot:
    def __init__(self, gateway: Webhook) -> None:
        self.gateway = gateway
        self.prices = cycle((10.12, 10.07, 10.15, 10.04, 10.09, 9.98))
        self.lots: dict[str, int] = {}  # by user
        self.answers: dict[str, dict[str, Any]] = {}  # by event; yours outlive a restart
        self.delay_s = 0.0

    async def deliver(self, request: web.Request) -> web.Response:
        """Take one event of the gateway. What isn't signed by it is nobody's business."""
        try:
            event = self.gateway.verify(await request.read(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return web.Response(status=401)
        # Decided before anything is waited for: a repetition may come at any moment.
        answer = self.answer(event)
        await asyncio.sleep(self.delay_s)
        return web.json_response(answer)

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """The same for each delivery of an event: who taps once buys once."""
        if event["id"] not in self.answers:
            said = self.act(event)
            answer = {"reply": {"type": "text", "content": said}} if said else {}
            remember(self.answers, event["id"], answer)
            log.info("%s %s", event["id"], event["type"])
        return self.answers[event["id"]]

    def act(self, event: dict[str, Any]) -> str:
        """Do what the event asks for, and say what was done; nothing for other events."""
        user, data = event["subject"], event["data"]
        if event["type"] == "wechat.event.subscribe":
            return WELCOME
        if event["type"] not in {"wechat.event.click", "wechat.message.text"}:
            return ""
        word = data.get("event_key", data.get("content", "")).strip().lower()
        if word in BUY | SELL:
            return self.trade(user, 1 if word in BUY else -1)
        if word in HOLD:
            return f"您持有 {self.lots.get(user, 0)} 手，现价 {next(self.prices)} 元。"
        return HELP

    def trade(self, user: str, lots: int) -> str:
        held = self.lots.get(user, 0) + lots
        if held < 0:
            return "您没有持仓，先发送“买入”。"
        remember(self.lots, user, held)
        what = "买入" if lots > 0 else "卖出"
        return f"已{what} 1 手（{LOT} 股），成交价 {next(self.prices)} 元，现持有 {held} 手。"

    async def slow_down(self, request: web.Request) -> web.Response:
        """PUT {"delay_s": 8}: from now on answer so late, to see what users get then."""
        try:
            delay_s = json.loads(await request.read())["delay_s"]
            if isinstance(delay_s, bool) or not 0 <= delay_s <= LONGEST_DELAY_S:
                raise ValueError
        except (ValueError, TypeError, KeyError, RecursionError):
            return web.Response(status=400, text=f'{{"delay_s": 0 to {LONGEST_DELAY_S}}}\n')
        self.delay_s = delay_s
        return web.Response(status=204)


def remember(book: dict[str, Any], key: str, value: Any) -> None:
    """Only the newest: memory has an end. A real book is a table in a database."""
    book[key] = value
    if len(book) > REMEMBERED:
        del book[next(iter(book))]


async def alive(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def app_of(bot: Bot) -> web.Application:
    app = web.Application()
    app.router.add_post("/wechat", bot.deliver)
    app.router.add_put("/delay", bot.slow_down)
    app.router.add_get("/healthz", alive)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="A trading bot behind a callback gateway.")
    parser.add_argument("--port", type=int, default=8084)
    parser.add_argument("--secret-file", type=Path, required=True, help="holds whsec_…")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    app = app_of(Bot(Webhook(given.secret_file.read_text().strip())))
    where = {"host": "127.0.0.1", "port": given.port}
    web.run_app(app, **where, shutdown_timeout=1, print=None, access_log=None)


if __name__ == "__main__":
    main()
