"""An answer rendered to its last byte, for as many requests as come while it stays the same.

aiohttp renders headers anew for each response, which takes longer than all the rest of a hand-out.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http import HttpVersion11

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.abc import AbstractStreamWriter


class ReadyAnswer(web.StreamResponse):
    """A 200 for requests that `fits`. It keeps nothing of a request, so one object serves all."""

    def __init__(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """`now`: Unix seconds, for the Date header."""
        super().__init__(headers=headers)
        lines = [
            "HTTP/1.1 200 OK",
            *(f"{name}: {value}" for name, value in headers.items()),
            f"Content-Length: {len(body)}",
            f"Date: {formatdate(now, usegmt=True)}",
        ]
        self._bytes = "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body

    @staticmethod
    def fits(request: web.Request) -> bool:
        """Whether the connection may stay as it is afterwards, which is all that is rendered."""
        return request.version == HttpVersion11 and request.keep_alive

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        writer = request.writer
        await writer.write_eof(self._bytes)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written by `prepare`."""
