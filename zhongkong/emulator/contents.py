"""Bytes that may be too many for memory: bodies, media files, and answers made of them. Pure.

The HTTP face brings contents that lie in files; tests bring plain bytes. Nobody else needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 256 * 1024


class Content(Protocol):
    """A fixed number of bytes that can be read anywhere and again."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, count: int) -> bytes:
        """At most `count` bytes from `start`; fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Bytes in memory."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int, count: int) -> bytes:
        return self.data[start : start + count]


@dataclass(frozen=True, slots=True)
class Slice:
    """The bytes of `whole` from `start` up to `stop`."""

    whole: Content
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def read(self, start: int, count: int) -> bytes:
        return self.whole.read(self.start + start, max(0, min(count, self.size - start)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer:
    """An answer that is no JSON."""

    content: Content = field(repr=False)
    content_type: str
    filename: str


def blocks(content: Content) -> Iterator[tuple[int, bytes]]:
    """Everything, in order, with the place of each block."""
    for start in range(0, content.size, BLOCK):
        yield start, content.read(start, BLOCK)


def find(content: Content, needle: bytes, start: int) -> int:
    """The place of the first `needle` from `start` on; -1 if there is none."""
    step = BLOCK + len(needle) - 1
    while start < content.size:
        found = content.read(start, step).find(needle)
        if found >= 0:
            return start + found
        start += BLOCK
    return -1
