"""Multipart bodies as browsers and SDKs send them: parted without being read into memory. Pure.

Lenient: what can't be understood gives fewer parts, never an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.contents import Slice, find

if TYPE_CHECKING:
    from zhongkong.emulator.contents import Content

_BOUNDARY: Final = re.compile(r'boundary="?([^";,]{1,200})"?', re.IGNORECASE)
_NAME: Final = re.compile(r'(?<![\w*])name="?((?:[^"\\;\r\n]|\\.)*)"?', re.IGNORECASE)
_FILENAME: Final = re.compile(r'filename="((?:[^"\\]|\\.)*)"|filename=([^;\s]+)', re.IGNORECASE)
_HEAD_AT_MOST: Final = 16 * 1024
_PARTS_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field. `filename` is None where the field is no file."""

    name: str
    filename: str | None
    head: str
    content: Slice

    def text(self, at_most: int = _HEAD_AT_MOST) -> str:
        """Its value as text, for fields that are no files."""
        return self.content.read(0, at_most).decode("utf-8", "replace")


def parts_of(content: Content, content_type: str) -> tuple[Part, ...]:
    """The parts of a body whose Content-Type says so; none for any other."""
    boundary = _BOUNDARY.search(content_type)
    if "multipart/" not in content_type.lower() or boundary is None:
        return ()
    delimiter = b"--" + boundary[1].strip().encode("utf-8", "replace")
    parts: list[Part] = []
    start = find(content, delimiter, 0)
    while start >= 0 and len(parts) < _PARTS_AT_MOST:
        start += len(delimiter)
        if content.read(start, 2) != b"\r\n":
            break
        end = find(content, b"\r\n" + delimiter, start)
        if end < 0:
            break
        parts += _part(content, start + 2, end)
        start = end + 2
    return tuple(parts)


def _part(content: Content, start: int, end: int) -> list[Part]:
    raw = content.read(start, min(_HEAD_AT_MOST, max(0, end - start)))
    head, blank_line, _ = raw.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "replace")
    name = _NAME.search(text)
    if not blank_line or name is None:
        return []
    filename = _FILENAME.search(text)
    return [
        Part(
            name=name[1],
            filename=None if filename is None else filename[1] or filename[2] or "",
            head=text,
            content=Slice(content, start + len(head) + 4, end),
        )
    ]
