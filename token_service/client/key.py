"""The key that a client shows: given once, or kept in a file that may be replaced any time."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from typing import TYPE_CHECKING, Final, Protocol

from token_service.client.errors import KeyUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.runtime.clock import Clock

_LOOK_EVERY_S: Final = 1.0
_BYTES_AT_MOST: Final = 16 * 1024
_Stamp = tuple[int, int, int, int]

log = logging.getLogger("token_service.client")


class Key(Protocol):
    """Where the key is taken from, for each request anew."""

    async def load(self) -> None:
        """Read it for the first time. Raises KeyUnreadable."""

    async def current(self) -> str:
        """The key as it is now."""

    async def reread(self) -> bool:
        """Look at once whether it changed: the service didn't take the one we had."""


class FixedKey:
    """A key that stays."""

    def __init__(self, key: str) -> None:
        if trouble := _trouble(key):
            raise ValueError(f"the key {trouble}")
        self._key = key

    async def load(self) -> None:
        """Nothing to read."""

    async def current(self) -> str:
        return self._key

    async def reread(self) -> bool:
        return False


class KeyFile:
    """A key in a file; a newline at its end doesn't count. While it can't be read, the last stays.

    The file is looked at once in _LOOK_EVERY_S when requests are made, in a thread of its own.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._key = ""
        self._stamp: _Stamp | None = None
        self._look_at = 0.0
        self._complaint = ""

    async def load(self) -> None:
        self._look_at = self._clock.monotonic() + _LOOK_EVERY_S
        await self._look()

    async def current(self) -> str:
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_S
            await self.reread()
        return self._key

    async def reread(self) -> bool:
        before = self._key
        try:
            await self._look()
        except KeyUnreadable as trouble:
            if str(trouble) != self._complaint:
                self._complaint = str(trouble)
                log.warning("the key that was read last is used on: %s", trouble)
        else:
            self._complaint = ""
        return self._key != before

    async def _look(self) -> None:
        found = await asyncio.to_thread(_read_if_changed, self._path, self._stamp)
        if found is not None:
            self._stamp, self._key = found


def _read_if_changed(path: Path, known: _Stamp | None) -> tuple[_Stamp, str] | None:
    """Blocking. None when the file is the one that was read last. Raises KeyUnreadable."""
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if stamp == known:
                return None
            if not stat.S_ISREG(found.st_mode):
                raise KeyUnreadable(f"the key file {path} is not a regular file")
            text = file.read(_BYTES_AT_MOST + 1).decode()
    except OSError as error:
        raise KeyUnreadable(f"the key file {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise KeyUnreadable(f"the key file {path} is not UTF-8 text") from None
    key = text.removesuffix("\n").removesuffix("\r")
    if trouble := _trouble(key):
        raise KeyUnreadable(f"the key in the file {path} {trouble}")
    return stamp, key


def _trouble(key: str) -> str:
    if not key:
        return "is empty"
    if len(key) > _BYTES_AT_MOST:
        return f"is longer than {_BYTES_AT_MOST} characters"
    if not key.isprintable():
        return "holds characters that can't stand in a header, such as a line break"
    return ""
