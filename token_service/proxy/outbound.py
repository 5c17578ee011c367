"""PURE: a call as it leaves for WeChat, down to its bytes. Sending is in `forward`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

_BODILESS: Final = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class Outbound:
    """What is sent. `target` and `headers` may hold a token, so the repr has neither.

    `body` is all of it or its pieces; `length` its size where it is told, else it goes in chunks.
    `only_reads`: nothing happens if it is carried out twice.
    """

    method: str
    target: str = field(repr=False)
    headers: Sequence[bytes] = field(repr=False)
    body: bytes | AsyncIterable[bytes] = field(repr=False)
    length: int | None
    only_reads: bool
    _rendered: tuple[str, bytes] = field(default=("", b""), init=False, repr=False)

    def head(self, host: str) -> bytes:
        """The request line and the headers, rendered once for the same host."""
        known, rendered = self._rendered
        if known != host:
            rendered = self._render(host)
            self._rendered = (host, rendered)
        return rendered

    def _render(self, host: str) -> bytes:
        first = f"{self.method} {self.target} HTTP/1.1\r\nHost: {host}"
        lines = [first.encode("utf-8", "surrogateescape"), *self.headers]
        if self.length is None:
            lines.append(b"Transfer-Encoding: chunked")
        elif self.length or self.method not in _BODILESS:
            lines.append(b"Content-Length: %d" % self.length)
        return b"\r\n".join(lines) + b"\r\n\r\n"
