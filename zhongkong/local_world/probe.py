"""One question to a part: how it answers on its readiness address.

An HTTP client would do the same; loading one holds up the start of every part.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from zhongkong.local_world.plan import Part

_WITHIN_S: Final = 1.0
_ANSWER_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Look:
    """An answer: whether it is 200, else what the part says of itself."""

    is_ready: bool
    reason: str = ""


async def look_at(part: Part) -> Look | None:
    """Ask once; None when nobody answers in time, or not in HTTP."""
    address = urlsplit(part.ready_url)
    with suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(_WITHIN_S):
            head, body = await _get(str(address.hostname), address.port or 80, address.path)
        is_ready = int(head.split(b" ", 2)[1]) == 200
        return Look(is_ready, "" if is_ready else _reason(body))
    return None


async def _get(host: str, port: int, path: str) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        answer = b""
        while len(answer) < _ANSWER_AT_MOST and (chunk := await reader.read(_ANSWER_AT_MOST)):
            answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        return head, body
    finally:
        writer.close()


def _reason(body: bytes) -> str:
    document: Any = json.loads(body)
    return str(document.get("reason", "")) if isinstance(document, dict) else ""
