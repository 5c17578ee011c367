"""What a request says, checked: query, body and path become plain values or a `Problem`.

Whether the caller may ask for it is decided in `api`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from token_service.problems import bad_request
from zhongkong.runtime.problems import read_json
from zhongkong.runtime.redaction import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BODY_LIMIT = 16 * 1024
DEFAULT_WAIT_S = 5
WAIT_AT_MOST_S = 60
MIN_TTL_AT_MOST_S = 200
DEAD_TOKEN_CODES = (40001, 40014, 42001)
"""The codes with which WeChat says that it doesn't know a token, or not any more."""

_WHOLE = re.compile(r"[0-9]{1,6}\Z", re.ASCII)
_VERSION = re.compile(r"[!-~]{1,64}\Z", re.ASCII)
_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a token is asked for. Whole seconds."""

    min_ttl_s: int = 0
    wait_s: int = DEFAULT_WAIT_S


@dataclass(frozen=True, slots=True)
class Report:
    """A caller says that WeChat rejected this version with this code."""

    version: str
    errcode: int


def wanted(query: Iterable[tuple[str, str]]) -> Wanted:
    """Read `min_ttl` and `wait`."""
    given = _no_twice(query, known=("min_ttl", "wait"))
    return Wanted(
        min_ttl_s=_seconds(given, "min_ttl", 0, MIN_TTL_AT_MOST_S),
        wait_s=_seconds(given, "wait", DEFAULT_WAIT_S, WAIT_AT_MOST_S),
    )


def nothing_asked(query: Iterable[tuple[str, str]]) -> None:
    """Refuse any query parameter."""
    _no_twice(query, known=())


def report(body: Any) -> Report:
    """Read the body of a rejection: `{"version": …, "errcode": …}`, both required."""
    given = _members(body, known=("version", "errcode"))
    version, errcode = given.get("version"), given.get("errcode")
    if not isinstance(version, str) or not _VERSION.match(version):
        raise bad_request("`version` must be the version string that came with the token.")
    if type(errcode) is not int:
        raise bad_request("`errcode` must be the number that WeChat answered.")
    if errcode not in DEAD_TOKEN_CODES:
        codes = ", ".join(map(str, DEAD_TOKEN_CODES))
        raise bad_request(
            f"`errcode` must be one of {codes}: only these say that a token is dead. "
            "Another code calls for another remedy, not for another token."
        )
    return Report(version, errcode)


def rotation_reason(body: Any) -> str:
    """Read the body of a rotation: nothing, `{}` or `{"reason": …}`."""
    if body is None:
        return ""
    reason = _members(body, known=("reason",)).get("reason", "")
    if not isinstance(reason, str) or len(reason) > _REASON_CHARACTERS:
        raise bad_request(f"`reason` must be text of at most {_REASON_CHARACTERS} characters.")
    return scrub("".join(c if c.isprintable() else " " for c in reason))


async def read_body(request: web.Request) -> Any:
    """The JSON in the body; None without a body. Bounded in size and time. Raises Problem."""
    try:
        return await read_json(request, limit=BODY_LIMIT)
    except (web.RequestPayloadError, HttpProcessingError, UnicodeError):
        raise bad_request("The body breaks off or is not encoded as it says.") from None


def _members(body: Any, *, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad_request(f"The body must be a JSON object with {_list(known)}.")
    _only(body, known, "The body has a member")
    return body


def _no_twice(query: Iterable[tuple[str, str]], *, known: tuple[str, ...]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in query:
        if name in given:
            raise bad_request(f"`{_shown(name)}` is given twice.")
        given[name] = value
    _only(given, known, "The query has a parameter")
    return given


def _only(given: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in known:
            takes = _list(known) if known else "none"
            raise bad_request(f"{what} `{_shown(name)}` that isn't known here; known: {takes}.")


def _seconds(given: Mapping[str, str], name: str, default: int, at_most: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not _WHOLE.match(text) or int(text) > at_most:
        raise bad_request(f"`{name}` must be whole seconds from 0 to {at_most}.")
    return int(text)


def _list(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _shown(name: str) -> str:
    """A caller's own word, harmless and short."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in name[:40])
