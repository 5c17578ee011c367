"""Request bodies as they arrive: small ones become bytes, large ones an unlinked temporary file.

Memory stays the same whatever the size; disk work is done beside the loop.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from zhongkong.emulator.endpoint import SMALL_BODY
from zhongkong.emulator.uploads import Upload, WatchScan

if TYPE_CHECKING:
    from collections.abc import Iterable

_WRITTEN_AT_ONCE: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What arrived. `whole` is False when the rest was left unread: too large, or ill encoded."""

    data: bytes = b""
    upload: Upload | None = None
    whole: bool = True


class FileContent:
    """A file without a name; it goes when nobody refers to this any more."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile(buffering=0) as file:
            self._fd = os.dup(file.fileno())
        self.size = 0
        weakref.finalize(self, os.close, self._fd)

    def append(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += os.pwrite(self._fd, data[written:], self.size + written)
        self.size += len(data)

    def read(self, start: int, count: int) -> bytes:
        return os.pread(self._fd, count, start) if count > 0 else b""


async def take_in(http: web.Request, at_most: int, watched: Iterable[str]) -> Body:
    """The body, up to `at_most` bytes. Raises OSError when the disk is full."""
    held = bytearray()
    spool: _Spool | None = None
    try:
        async for block in http.content.iter_any():
            held += block
            if len(held) + (spool.size if spool else 0) > at_most:
                return await _turned_away(held, spool)
            if spool is None and len(held) > SMALL_BODY:
                spool = _Spool(watched)
            if spool is not None and len(held) >= _WRITTEN_AT_ONCE:
                await asyncio.to_thread(spool.take, bytes(held))
                held.clear()
    except web.RequestPayloadError:
        # aiohttp would read on to the end of the body and trip over the same error once more.
        http.content.feed_eof()
        return Body(whole=False)
    if spool is None:
        return Body(data=bytes(held))
    content_type = http.headers.get("Content-Type", "")
    return Body(upload=await asyncio.to_thread(spool.done, bytes(held), content_type))


async def _turned_away(held: bytearray, spool: _Spool | None) -> Body:
    """What there is of a body that is too large: nobody acts on it, but secrets in it count."""
    if spool is None:
        return Body(data=bytes(held[:SMALL_BODY]), whole=False)
    return Body(upload=await asyncio.to_thread(spool.done, bytes(held), ""), whole=False)


class _Spool:
    """A body on its way to disk. Its methods block; one is at work at a time."""

    def __init__(self, watched: Iterable[str]) -> None:
        self._content = FileContent()
        self._scan = WatchScan(watched)

    @property
    def size(self) -> int:
        return self._content.size

    def take(self, block: bytes) -> None:
        self._scan.feed(block)
        self._content.append(block)

    def done(self, rest: bytes, content_type: str) -> Upload:
        self.take(rest)
        return Upload.of(self._content, content_type, self._scan.met)
