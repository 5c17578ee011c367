"""What was sent of a large body, kept in a temporary file so that the call can be repeated.

The file has no name, so that nothing is left of it after a crash; its I/O happens in threads. How
much all calls may keep together is an `Allowance`.
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WRITE_BYTES: Final = 256 * 1024
_READ_BYTES: Final = 256 * 1024


class Allowance:
    """Bytes that all calls of this process share."""

    __slots__ = ("_left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._left = limit

    @property
    def used(self) -> int:
        return self.limit - self._left

    def take(self, size: int) -> bool:
        """Reserve so many bytes; False when there aren't as many left."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        self._left += size


class Spool:
    """One body. Beyond its limit, or without allowance, it forgets all and isn't `complete`."""

    def __init__(self, *, limit: int, allowance: Allowance) -> None:
        self._limit = limit
        self._allowance = allowance
        self._file: IO[bytes] | None = None
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._reserved = 0
        self._given_up = False
        self._ended = False

    @property
    def complete(self) -> bool:
        """Whether the whole body can be read again."""
        return self._ended and not self._given_up

    async def append(self, piece: bytes) -> None:
        """Keep one more piece. A full disk is no reason to fail a call: it can't be repeated."""
        if self._given_up:
            return
        size = len(piece)
        if self._reserved + size > self._limit or not self._allowance.take(size):
            self.close()
            return
        self._reserved += size
        self._pending.append(piece)
        self._pending_bytes += size
        if self._pending_bytes >= _WRITE_BYTES:
            await self._flush()

    async def end(self) -> None:
        """That was all of it."""
        await self._flush()
        self._ended = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body from its beginning. Only when `complete`."""
        file = self._file
        if file is None:
            return
        await asyncio.to_thread(file.seek, 0)
        while piece := await asyncio.to_thread(file.read, _READ_BYTES):
            yield piece

    def close(self) -> None:
        """Let go of the file and of the allowance. May be repeated."""
        self._given_up = True
        self._pending.clear()
        self._allowance.give_back(self._reserved)
        self._reserved = 0
        file, self._file = self._file, None
        if file is not None:
            # Closing waits for a write that is under way in another thread.
            asyncio.get_running_loop().run_in_executor(None, file.close)

    async def _flush(self) -> None:
        if self._given_up or not self._pending:
            return
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        try:
            if self._file is None:
                self._file = await asyncio.to_thread(_temporary_file)
            file = self._file
            await asyncio.to_thread(file.write, data)
        except OSError:
            self.close()


def _temporary_file() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="token-service-")
