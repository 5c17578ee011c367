"""WeChat's answer: small ones are read whole and looked into. Passing it on is in `passed`."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from zhongkong.wechat.answer import parse_answer
from zhongkong.wechat.errors import UnreadableAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from token_service.proxy.connection import Connection
    from token_service.proxy.pool import Pool

PEEKED_BYTES_AT_MOST: Final = 64 * 1024
"""An answer with an errcode is shorter."""

_DONE: Final = b'{"errcode":0,"errmsg":"ok"}'
"""What most writes are answered with."""


class Answer:
    """One answer. `close` it when it was read, or when nobody wants the rest."""

    __slots__ = (
        "_connection",
        "_payload",
        "_pool",
        "data",
        "errcode",
        "headers",
        "raw_headers",
        "reason",
        "status",
        "whole",
    )

    def __init__(
        self,
        message: RawResponseMessage,
        payload: StreamReader,
        connection: Connection,
        pool: Pool,
    ) -> None:
        self.status = message.code
        self.reason = message.reason
        self.raw_headers = message.raw_headers
        self.headers = message.headers
        self.data = b""
        """What was read of the body so far."""
        self.whole = False
        """Whether `data` is all of it."""
        self.errcode: int | None = None
        """The errcode of a small answer that was looked into, where it has one."""
        self._payload = payload
        self._connection: Connection | None = connection
        self._pool = pool
        if payload.is_eof() and payload.total_bytes <= PEEKED_BYTES_AT_MOST:
            self._take_whole(payload.read_nowait())

    async def peek(self) -> None:
        """Read a small body whole; of another one, enough to see that it is large or no JSON.

        Raises ANSWER_ERRORS when it breaks off.
        """
        declared = self.headers.get(hdrs.CONTENT_LENGTH, "0")
        if self.whole or not declared.isdecimal() or int(declared) > PEEKED_BYTES_AT_MOST:
            return
        packed = hdrs.CONTENT_ENCODING in self.headers
        parts: list[bytes] = []
        size = 0
        while size <= PEEKED_BYTES_AT_MOST:
            if self._payload.at_eof() or not (piece := await self._payload.readany()):
                self._take_whole(b"".join(parts))
                return
            parts.append(piece)
            size += len(piece)
            if not packed and len(parts) == 1 and not _begins_like_json(piece):
                break
        self.data = b"".join(parts)

    async def rest(self) -> AsyncIterator[bytes]:
        """The pieces after `data`. Raises ANSWER_ERRORS when it breaks off."""
        while piece := await self._payload.readany():
            yield piece
        self.close()

    def close(self) -> None:
        """Give the connection back if the whole answer was read, else end it. May be repeated."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)

    def _take_whole(self, data: bytes) -> None:
        self.data = data
        self.whole = True
        self.close()
        if b"errcode" in data or hdrs.CONTENT_ENCODING in self.headers:
            self.errcode = 0 if data == _DONE else self._errcode()

    def _errcode(self) -> int | None:
        body = self._unpacked()
        if b"errcode" not in body:
            return None
        try:
            return parse_answer(200, body).errcode
        except UnreadableAnswer:
            return None

    def _unpacked(self) -> bytes:
        if hdrs.CONTENT_ENCODING not in self.headers:
            return self.data
        try:
            unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
            return unpack.decompress(self.data, PEEKED_BYTES_AT_MOST)
        except zlib.error:
            return b""


def _begins_like_json(piece: bytes) -> bool:
    return piece.lstrip()[:1] in {b"{", b"[", b"\xef", b""}
