"""How the native API's values look on the wire: token documents and entity tags.

What is answered, and to whom, is decided in `api`; refusals are in `problems`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from zhongkong.runtime.answers import JSON, rfc3339

if TYPE_CHECKING:
    from token_service.served import Served

_NO_STORE = "no-store"


def token_document(account: str, served: Served, expires_in: int) -> dict[str, Any]:
    """What a caller gets to know of a live token, the token itself included."""
    return {
        "account": account,
        "appid": served.slot.appid,
        "kind": str(served.slot.kind),
        "value": served.value,
        "version": served.version,
        "issued_at": rfc3339(served.issued_at),
        "expires_at": rfc3339(served.expires_at),
        "expires_in": expires_in,
    }


def token_headers(version: str) -> dict[str, str]:
    """The headers that go with a token document."""
    return {"Content-Type": JSON, "ETag": etag(version), "Cache-Control": _NO_STORE}


def token_answer(document: dict[str, Any]) -> web.Response:
    """A token document with its headers."""
    return web.Response(body=orjson.dumps(document), headers=token_headers(document["version"]))


def unchanged(version: str) -> web.Response:
    """304: the caller holds the current token already."""
    return web.Response(status=304, headers={"ETag": etag(version), "Cache-Control": _NO_STORE})


def etag(version: str) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def names_version(if_none_match: str, version: str) -> bool:
    """Whether an If-None-Match header (a list, weak tags and `*` included) names this version."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag(version) in tags
