"""A caller's body on its way to WeChat: small ones in memory, large ones piece by piece.

Both are looked through before a byte of them leaves, and both can be sent once more as far as they
were kept. What is done with them is decided in `service`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from token_service.proxy import refusals
from token_service.proxy.sieve import StreamSieve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from token_service.proxy.sieve import Sieve
    from token_service.proxy.spool import Allowance, Spool

KEPT_BYTES_AT_MOST: Final = 1024 * 1024
"""A body up to this size is taken in whole before it is sent."""


class Body:
    """The body of one call, while entered. `data` is all of it, or what a large one began with."""

    def __init__(self, request: web.Request, *, silence_s: float, memory: Allowance) -> None:
        self.data = b""
        self.whole = False
        """Whether `data` is all of it."""
        self._request = request
        self._silence_s = silence_s
        self._memory = memory
        self._reserved = 0
        self._spool: Spool | None = None
        self._sieve: Sieve | None = None
        self._begun = False

    async def __aenter__(self) -> Self:
        """Read a small body whole, and the beginning of one whose size isn't told.

        Raises Refusal for a body that breaks off or is late.
        """
        if not self._request.body_exists:
            self.whole = True
            return self
        try:
            await self._take_in()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def _take_in(self) -> None:
        request = self._request
        declared = request.content_length
        if (declared or 0) > KEPT_BYTES_AT_MOST:
            return
        size = declared if declared is not None else KEPT_BYTES_AT_MOST
        if not self._memory.take(size):
            return
        self._reserved = size
        parts: list[bytes] = []
        read = 0
        while read <= KEPT_BYTES_AT_MOST and not self.whole:
            piece = await self._read()
            if not piece:
                self.whole = True
                break
            parts.append(piece)
            read += len(piece)
            self.whole = read == declared
        self.data = b"".join(parts)

    def keep(self, sieve: Sieve, spool: Spool) -> None:
        """From here on: what is sent piece by piece passes this sieve and is kept there."""
        self._sieve = sieve
        self._spool = spool

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent once more."""
        return self.whole or (self._spool is not None and self._spool.complete)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it, piece by piece, for a body that isn't `whole`. Raises Refusal."""
        if self._spool is None or self._sieve is None:
            raise RuntimeError("a body is sent after it was told what to look for")
        if self._begun:
            async for piece in self._spool.pieces():
                yield piece
            return
        self._begun = True
        sieve = StreamSieve(self._sieve)
        piece, self.data = self.data, b""
        while piece or (piece := await self._read()):
            released = sieve.feed(piece)
            if released is None:
                raise refusals.leak()
            if released:
                await self._spool.append(released)
                yield released
            piece = b""
        # Kept to its end before the end leaves: the answer may be back before we are here again.
        if rest := sieve.rest():
            await self._spool.append(rest)
        await self._spool.end()
        if rest:
            yield rest

    def close(self) -> None:
        """Let go of everything that was kept. May be repeated."""
        self.data = b""
        if self._reserved:
            self._memory.give_back(self._reserved)
            self._reserved = 0
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    async def _read(self) -> bytes:
        content = self._request.content
        try:
            if content.is_eof():
                # All of it is here, as is usual for a small one: nothing has to be waited for.
                return content.read_nowait()
            async with asyncio.timeout(self._silence_s):
                return await content.readany()
        except TimeoutError:
            raise refusals.body_late() from None
        except (web.RequestPayloadError, HttpProcessingError, UnicodeError, ClientError):
            raise refusals.body_broken() from None
