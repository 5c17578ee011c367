"""WeChat's answer as its caller gets it. Status, headers and bytes stay what they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11

from token_service.proxy.answer_errors import ANSWER_ERRORS
from token_service.proxy.headers import to_caller

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

    from token_service.proxy.answer import Answer

_BODILESS: Final = frozenset({204, 304})


class Passed(web.StreamResponse):
    """Written by `send`: a small answer at once, another one head first, then piece by piece.

    A body that breaks off ends the caller's connection hard, so that nobody takes the part for the
    whole.
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

    async def send(self) -> bool:
        """Write everything, and close the answer. False when caller or answer broke off."""
        answer = self._answer
        try:
            if self._asked.method == hdrs.METH_HEAD or answer.status in _BODILESS:
                await self._asked.writer.write_eof(self._head())
            elif answer.whole:
                head = self._head(length=len(answer.data))
                await self._asked.writer.write_eof(head + answer.data)
            else:
                await self._send_pieces()
        except ConnectionError:
            return False
        finally:
            answer.close()
        return True

    async def _send_pieces(self) -> None:
        answer, writer = self._answer, self._asked.writer
        told = hdrs.CONTENT_LENGTH in answer.headers
        chunked = not told and self._asked.version >= HttpVersion11
        if not told and not chunked:
            self._stays = False
        head = self._head(chunked=chunked)
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

    def _head(self, *, length: int | None = None, chunked: bool = False) -> bytes:
        """With this Content-Length in place of WeChat's, where it is given."""
        answer = self._answer
        lines = [b"HTTP/1.1 %d %b" % (answer.status, answer.reason.encode("utf-8", "replace"))]
        lines += to_caller(answer.raw_headers, with_length=length is None)
        if length is not None:
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
