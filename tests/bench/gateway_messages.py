"""Callbacks as WeChat sends them in safe mode, made before they are needed: no two are alike.

wechatpy makes them, not we: what is measured opens what another library sealed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from typing import TYPE_CHECKING

from wechatpy.crypto import PrpCrypto

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "shop"
APPID = "wx0123456789abcdef"
TOKEN = "benchToken0123456789"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PATH = f"/callback/{ACCOUNT}"

_TO = "gh_0123456789ab"
_USERS = 1_000
_LENGTH_BYTES = 4


class Correspondence:
    """Everything that is ever sent in one run: each message has a number of its own."""

    def __init__(self) -> None:
        self._crypto = PrpCrypto(base64.b64decode(AES_KEY + "="))
        self._sent = 0
        # A store that is older than this run has seen other numbers.
        self._first = int.from_bytes(os.urandom(6), "big") << 14

    def write(self, count: int) -> bytes:
        """That many requests, each with its length before it, to be sent within minutes."""
        requests = bytearray()
        for _ in range(count):
            self._sent += 1
            request = self._request(self._first + self._sent, int(time.time()))
            requests += len(request).to_bytes(_LENGTH_BYTES, "big") + request
        return bytes(requests)

    def _request(self, number: int, now: int) -> bytes:
        openid = f"oBench{number % _USERS:022}"
        message = (
            f"<xml><ToUserName><![CDATA[{_TO}]]></ToUserName>"
            f"<FromUserName><![CDATA[{openid}]]></FromUserName>"
            f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[您好, {'k' * 66}]]></Content><MsgId>{number}</MsgId></xml>"
        )
        encrypted = self._crypto.encrypt(message, APPID).decode()
        body = (
            f"<xml><ToUserName><![CDATA[{_TO}]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        ).encode()
        timestamp, nonce = str(now), str(number)
        head = (
            f"POST {PATH}?signature={_signature(timestamp, nonce)}"
            f"&timestamp={timestamp}&nonce={nonce}&openid={openid}&encrypt_type=aes"
            f"&msg_signature={_signature(timestamp, nonce, encrypted)} HTTP/1.1\r\n"
            "User-Agent: Mozilla/4.0\r\nAccept: */*\r\nHost: 127.0.0.1\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: text/xml\r\n\r\n"
        )
        return head.encode() + body


def read(requests: bytes) -> Iterator[bytes]:
    """What `write` has put together, one by one."""
    start = 0
    while start < len(requests):
        begin = start + _LENGTH_BYTES
        start = begin + int.from_bytes(requests[start:begin], "big")
        yield requests[begin:start]


def _signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted((TOKEN, *parts))).encode()).hexdigest()
