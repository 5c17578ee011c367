"""JSON answers over HTTP, and moments as they are written in them. Refusals are in problems.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import orjson
from aiohttp import web

JSON: Final = "application/json"


def rfc3339(at: float) -> str:
    """Unix seconds as `2026-01-02T03:04:05Z`, rounded down."""
    return datetime.fromtimestamp(int(at), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def json_answer(document: object, status: int = 200) -> web.Response:
    """A document that no cache may keep."""
    return web.Response(
        status=status,
        body=orjson.dumps(document),
        headers={"Content-Type": JSON, "Cache-Control": "no-store"},
    )
