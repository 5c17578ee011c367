"""An account's own server, as simple as can be: it writes down what comes and answers by script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from aiohttp import web
from wechatpy.crypto import WeChatCrypto

from tests.emulator.platforms import APPID

TOKEN = "spamtest"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OTHER_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
ORIGINAL_ID = "gh_0123456789ab"
CRYPTO = WeChatCrypto(TOKEN, KEY, APPID)

Answer = bytes | tuple[int, bytes] | Callable[["Seen"], bytes]
HANG = b"(hang)"
RESET = b"(reset)"


@dataclass(frozen=True)
class Seen:
    """One request."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def decrypted(self, crypto: WeChatCrypto = CRYPTO) -> str:
        """The message, as wechatpy reads it. Raises what wechatpy raises."""
        query = self.query
        return str(
            crypto.decrypt_message(
                self.body, query["msg_signature"], query["timestamp"], query["nonce"]
            )
        )

    def fields(self) -> dict[str, Any]:
        return fields_of(self.decrypted())


@dataclass
class Receiver:
    """Takes `answers` one after the other, the last one for ever; echoes a verification."""

    answers: list[Answer] = field(default_factory=lambda: [b"success"])
    echo: Callable[[str], web.Response] = field(default=lambda echostr: web.Response(text=echostr))
    seen: list[Seen] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most_running: int = 0
    url: str = ""
    silent: bool = False

    @property
    def posts(self) -> list[Seen]:
        return [each for each in self.seen if each.method == "POST"]

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/callback", self.take)
        return app

    async def take(self, http: web.Request) -> web.StreamResponse:
        seen = Seen(http.method, dict(http.query), dict(http.headers), await http.read())
        self.seen.append(seen)
        if self.silent:
            await self.let_go.wait()
        if http.method == "GET":
            return self.echo(http.query["echostr"])
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self._answer(http, seen, answer)
        finally:
            self.running -= 1

    async def _answer(self, http: web.Request, seen: Seen, answer: Answer) -> web.Response:
        if answer == HANG:
            await self.let_go.wait()
            return web.Response(text="success")
        if answer == RESET:
            assert http.transport is not None
            http.transport.abort()
            return web.Response()
        if callable(answer):
            return web.Response(body=answer(seen))
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], body=answer[1])
        return web.Response(body=answer)


def fields_of(text: str | bytes) -> dict[str, Any]:
    """The elements below the root: their texts, or their own elements."""
    return _below(ET.fromstring(text))


def _below(element: ET.Element) -> dict[str, Any]:
    return {each.tag: _below(each) if len(each) else each.text or "" for each in element}


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until it holds; thirty seconds are too many."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


def text_reply(openid: str, content: str = "好", original_id: str = ORIGINAL_ID) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{openid}]]></ToUserName>"
        f"<FromUserName><![CDATA[{original_id}]]></FromUserName>"
        f"<CreateTime>1716200000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content></xml>"
    )


def sealed(reply: str, crypto: WeChatCrypto = CRYPTO) -> bytes:
    """An encrypted reply, as wechatpy writes it."""
    return str(crypto.encrypt_message(reply, "nonce1", "1716200000")).encode()
