"""One question to a part: how it answers, on its readiness address above all.

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
    from collections.abc import Mapping

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
    answer = await get(part.ready_url, within_s=_WITHIN_S)
    if answer is None:
        return None
    status, document = answer
    return Look(status == 200, "" if status == 200 else str(document.get("reason", "")))


async def get(
    url: str, headers: Mapping[str, str] | None = None, *, within_s: float
) -> tuple[int, dict[str, Any]] | None:
    """Status and JSON of one GET; None when nobody answers in time, or not in HTTP.

    What is no JSON object counts as an empty one.
    """
    with suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(within_s):
            head, body = await _get(url, headers or {})
        return int(head.split(b" ", 2)[1]), _object(body)
    return None


async def _get(url: str, headers: Mapping[str, str]) -> tuple[bytes, bytes]:
    address = urlsplit(url)
    path = f"{address.path}?{address.query}" if address.query else address.path
    own = {"Host": address.netloc, "Connection": "close", **headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items())]
    reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    try:
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))
        answer = b""
        while len(answer) < _ANSWER_AT_MOST and (chunk := await reader.read(_ANSWER_AT_MOST)):
            answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        return head, body
    finally:
        writer.close()


def _object(body: bytes) -> dict[str, Any]:
    document: Any = None
    with suppress(ValueError):
        document = json.loads(body)
    return document if isinstance(document, dict) else {}
