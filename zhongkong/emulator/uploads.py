"""A request body that was too large to be held as bytes, and the look for secrets in it. Pure.

The scan is fed block by block while the body arrives, so that it costs the same memory whatever the
size. What it can't do is list every key-like text of a large body: it lists those of the first and
last bytes and of each part's beginning, and finds texts on watch anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from zhongkong.emulator.multipart import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zhongkong.emulator.contents import Content

_END_SHOWN: Final = 64 * 1024
_PART_SHOWN: Final = 4 * 1024
_ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_GROWTH: Final = 3
"""A percent-encoded byte takes three."""


class WatchScan:
    """Looks for texts on watch in a stream, as sent and percent-decoded."""

    def __init__(self, watched: Iterable[str]) -> None:
        self.met: set[str] = set()
        self._sought = {text: text.encode("utf-8", "replace") for text in watched}
        longest = max((len(each) for each in self._sought.values()), default=0)
        self._overlap = _GROWTH * longest
        self._tail = b""

    def feed(self, block: bytes) -> None:
        if not self._sought:
            return
        window = self._tail + block
        self._tail = window[-self._overlap :]
        for form in self._forms(window):
            for text in [text for text, sought in self._sought.items() if sought in form]:
                del self._sought[text]
                self.met.add(text)

    def _forms(self, window: bytes) -> list[bytes]:
        forms = [window]
        # A plus is a blank in a form, which only matters to texts that have one.
        blanks = b"+" in window and any(b" " in each for each in self._sought.values())
        if blanks or _ESCAPE.search(window):
            forms.append(unquote_to_bytes(window.replace(b"+", b" ") if blanks else window))
        return forms


@dataclass(frozen=True, slots=True)
class Upload:
    """The body, its parts, the texts on watch that it holds, and what else a look may show."""

    content: Content = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    met: frozenset[str] = field(repr=False)
    glimpses: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def of(cls, content: Content, content_type: str, met: Iterable[str]) -> Upload:
        """Reads through `content` once."""
        parts = parts_of(content, content_type)
        tail_from = max(_END_SHOWN, content.size - _END_SHOWN)
        shown = [content.read(0, _END_SHOWN), content.read(tail_from, _END_SHOWN)]
        shown += [each.head.encode() for each in parts]
        shown += [each.content.read(0, _PART_SHOWN) for each in parts]
        texts = (each.decode("utf-8", "replace") for each in shown if each)
        return cls(content, parts, frozenset(met), tuple(("body", text) for text in texts))
