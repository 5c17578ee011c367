"""The call that must never be made twice, and name servers that fail it."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.wechat.servers import http
from zhongkong.wechat.errors import TransportError
from zhongkong.wechat.exchange import SentMark
from zhongkong.wechat.transport import WeChatTransport

OK = http(b'{"errcode":0,"errmsg":"ok"}')
TOKEN_QUERY = {"grant_type": "client_credential", "appid": "wx0", "secret": "s3cr3t-s3cr3t"}


async def call_token(
    wechat: WeChatTransport,
    *,
    deadline_s: float = 5,
    reuse: bool = False,
    mark: SentMark | None = None,
) -> TransportError:
    """Call the classic token endpoint, which must never be called twice, and return its error."""
    with pytest.raises(TransportError) as raised:
        await wechat.call(
            "GET",
            "/cgi-bin/token",
            params=TOKEN_QUERY,
            deadline_s=deadline_s,
            reuse=reuse,
            mark=mark,
        )
    return raised.value


class Resolver(AbstractResolver):
    """Fails, or never answers."""

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs
        self.asked = asyncio.Event()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.set()
        if self._hangs:
            await asyncio.Event().wait()
        raise OSError(None, "no such name")

    async def close(self) -> None:
        pass
