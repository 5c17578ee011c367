"""HTTP/1.1 as bytes: requests that need not be sound, and answers, which have to be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

Header = tuple[bytes, bytes]

HOST: Header = (b"Host", b"gateway.example")
XML: Header = (b"Content-Type", b"text/xml")

SAFE_PATH = b"/callback/safe?timestamp=1&nonce=n&msg_signature=s"
"""Where an account listens, with a proof that is none."""

_VERSION = re.compile(r"HTTP/\d\.\d")
"""aiohttp answers under the version that it was asked under, whatever that is."""


@dataclass(frozen=True)
class Answer:
    """`raw` is all of it."""

    version: str
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def closing(self) -> bool:
        """Whether the server ends the connection behind it."""
        usual = "keep-alive" if self.version == "HTTP/1.1" else "close"
        return self.headers.get("connection", usual).lower() == "close"


class NotHttp(AssertionError):
    """What came is no answer."""


def request(
    method: bytes,
    target: bytes,
    body: bytes = b"",
    *,
    headers: Sequence[Header] = (HOST, XML),
    length: bool = True,
    version: bytes = b"HTTP/1.1",
) -> bytes:
    """One request, with Content-Length unless `length` is False."""
    framing = ((b"Content-Length", str(len(body)).encode()),) if length and body else ()
    lines = [b" ".join((method, target, version))]
    lines += [name + b": " + value for name, value in (*headers, *framing)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """A body in these chunks, and its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in (*chunks, b""))


async def read_answer(reader: asyncio.StreamReader, *, bodyless: bool = False) -> Answer | None:
    """The next final answer; None when the connection ended instead. `bodyless`: to HEAD."""
    passed = b""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as ended:
            partial = getattr(ended, "partial", b"")
            if partial:
                raise NotHttp(f"the connection ended within a head: {partial!r}") from None
            return None
        version, status, headers = _head(head)
        if status >= 200:
            break
        passed += head
    body = b""
    if not bodyless and status not in {204, 304}:
        body = await reader.readexactly(int(headers["content-length"]))
    return Answer(version, status, headers, body, passed + head + body)


def _head(head: bytes) -> tuple[str, int, dict[str, str]]:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    version, _, rest = first.partition(" ")
    if not _VERSION.fullmatch(version) or not rest[:3].isdigit():
        raise NotHttp(f"no status line: {first!r}")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            raise NotHttp(f"no header, or one twice: {line!r}")
        headers[name.lower()] = value.strip()
    return version, int(rest[:3]), headers
