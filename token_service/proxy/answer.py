"""WeChat's answer on its way to the caller: looked at when it is small, passed on as it came.

Status, headers and bytes stay what they were, but for what belongs to one connection alone.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11

from token_service.proxy.connections import ANSWER_ERRORS
from zhongkong.wechat.answer import parse_answer
from zhongkong.wechat.errors import UnreadableAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from token_service.proxy.connections import Connection, Pool

PEEKED_BYTES_AT_MOST: Final = 64 * 1024
"""An answer with an errcode is shorter."""

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_BODILESS: Final = frozenset({204, 304})


class Answer:
    """One answer. `close` it when it was read, or when nobody wants the rest."""

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
        """What was read of the body so far, by `peek`."""
        self.whole = False
        """Whether `data` is all of it."""
        self.errcode: int | None = None
        """The errcode of a small answer that was looked into, where it has one."""
        self._payload = payload
        self._connection: Connection | None = connection
        self._pool = pool

    async def peek(self) -> None:
        """Read a small body whole; of another one, enough to see that it is large or no JSON.

        Raises ANSWER_ERRORS when it breaks off.
        """
        declared = self.headers.get(hdrs.CONTENT_LENGTH, "0")
        if not declared.isdecimal() or int(declared) > PEEKED_BYTES_AT_MOST:
            return
        packed = hdrs.CONTENT_ENCODING in self.headers
        parts: list[bytes] = []
        size = 0
        while size <= PEEKED_BYTES_AT_MOST:
            if self._payload.at_eof() or not (piece := await self._payload.readany()):
                self.whole = True
                self.close()
                break
            parts.append(piece)
            size += len(piece)
            if not packed and len(parts) == 1 and not _begins_like_json(piece):
                break
        self.data = b"".join(parts)
        self.errcode = self._errcode()

    async def rest(self) -> AsyncIterator[bytes]:
        """The pieces after `data`. Raises ANSWER_ERRORS when it breaks off."""
        while piece := await self._payload.readany():
            yield piece
        self.close()

    def _errcode(self) -> int | None:
        body = self._unpacked()
        if not self.whole or b"errcode" not in body:
            return None
        try:
            return parse_answer(200, body).errcode
        except UnreadableAnswer:
            return None

    def close(self) -> None:
        """Give the connection back if the whole answer was read, else end it. May be repeated."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)

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


class Passed(web.StreamResponse):
    """The answer as the caller gets it, written head first, then piece by piece.

    `send` does all of it. A body that breaks off ends the caller's connection hard, so that nobody
    takes the part for the whole.
    """

    def __init__(self, answer: Answer, request: web.Request, *, silence_s: float) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._asked = request
        self._silence_s = silence_s
        self._stays = request.keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._stays

    async def send(self) -> None:
        """Write everything. Raises ConnectionError when it can't be written or breaks off."""
        answer, writer = self._answer, self._asked.writer
        bodiless = self._asked.method == hdrs.METH_HEAD or answer.status in _BODILESS
        if answer.whole or bodiless:
            await writer.write_eof(self._head(len(answer.data), bodiless=bodiless) + answer.data)
            return
        length = answer.headers.get(hdrs.CONTENT_LENGTH)
        chunked = length is None and self._asked.version >= HttpVersion11
        if length is None and not chunked:
            self._stays = False
        head = self._head(None, bodiless=False, chunked=chunked)
        try:
            await self._write(writer, head + _framed(answer.data, chunked=chunked))
            async for piece in answer.rest():
                await self._write(writer, _framed(piece, chunked=chunked))
        except (*ANSWER_ERRORS, TimeoutError) as error:
            self._stays = False
            if self._asked.transport is not None:
                self._asked.transport.abort()
            raise ConnectionResetError("the answer broke off") from error
        await writer.write_eof(b"0\r\n\r\n" if chunked else b"")

    def _head(self, length: int | None, *, bodiless: bool, chunked: bool = False) -> bytes:
        answer = self._answer
        lines = [b"HTTP/1.1 %d %b" % (answer.status, answer.reason.encode("utf-8", "replace"))]
        lines += _passed_on(answer.raw_headers, drop_length=length is not None and not bodiless)
        if length is not None and not bodiless:
            lines.append(b"Content-Length: %d" % length)
        if chunked:
            lines.append(b"Transfer-Encoding: chunked")
        if not self._stays:
            lines.append(b"Connection: close")
        elif self._asked.version < HttpVersion11:
            lines.append(b"Connection: keep-alive")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    async def _write(self, writer: AbstractStreamWriter, data: bytes) -> None:
        async with asyncio.timeout(self._silence_s):
            await writer.write(data)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written by `send`."""


def _framed(piece: bytes, *, chunked: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece) if chunked and piece else piece


def _passed_on(headers: Sequence[tuple[bytes, bytes]], *, drop_length: bool) -> list[bytes]:
    """Header lines that mean something beyond one connection."""
    dropped = of_one_connection(headers)
    if drop_length:
        dropped |= {b"content-length"}
    return [b"%b: %b" % pair for pair in headers if pair[0].lower() not in dropped]


def of_one_connection(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """Names of headers that aren't passed on: the known ones, and what Connection lists."""
    listed = [value for name, value in headers if name.lower() == b"connection"]
    if not listed:
        return HOP_BY_HOP
    names = {token.strip().lower() for value in listed for token in value.split(b",")}
    return HOP_BY_HOP | (names - {b"content-length", b"content-type", b"host"})
