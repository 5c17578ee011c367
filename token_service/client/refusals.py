"""PURE: from the service's refusal, a problem of RFC 9457, to a typed error."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from token_service.client.errors import (
    NotAllowed,
    RequestRefused,
    ServiceBusy,
    ServiceUnreachable,
    TokenServiceError,
    TokenUnavailable,
    UnknownAccount,
)
from zhongkong.wechat.presentable import presentable

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM: Final = "application/problem+json"

_NO_LIVE_TOKEN: Final = "urn:zhongkong:problem:no-live-token"
_RETRY_AFTER_S: Final = 1.0
_LONGEST_S: Final = 86400.0


def is_problem(headers: Mapping[str, str]) -> bool:
    """Whether this answer is the service's own refusal, not something that it passed on."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == PROBLEM


def error_of(
    status: int, headers: Mapping[str, str], body: bytes, *, key: str
) -> TokenServiceError:
    """The error for an answer that isn't the one that was asked for. `key` stays out of it."""
    problem = _problem(body) if is_problem(headers) else None
    if problem is None:
        return ServiceUnreachable(
            f"an answer with HTTP status {status} came that is none of a token service's: "
            "check the base URL, and what stands between",
            retry_after_s=_retry_after_s(headers),
            may_have_arrived=True,
        )
    said = presentable(str(problem.get("detail") or problem.get("title") or ""), [key])
    message = f"the token service answered {status}: {said}"
    if status in {401, 403}:
        return NotAllowed(message, status=status)
    if status == 404:
        return UnknownAccount(message)
    if status == 503 and problem.get("type") == _NO_LIVE_TOKEN:
        return TokenUnavailable(
            message,
            retry_after_s=_retry_after_s(headers),
            errcode=_typed(problem, "errcode", int),
            rid=_typed(problem, "rid", str),
            hint=_typed(problem, "hint", str),
        )
    if status in {429, 503}:
        return ServiceBusy(message, retry_after_s=_retry_after_s(headers))
    if status < 500:
        return RequestRefused(message)
    return ServiceUnreachable(message, retry_after_s=_retry_after_s(headers), may_have_arrived=True)


def _problem(body: bytes) -> dict[str, Any] | None:
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return problem if isinstance(problem, dict) else None


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Read Retry-After in seconds; the service writes no dates."""
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return _RETRY_AFTER_S
    return min(seconds, _LONGEST_S) if math.isfinite(seconds) and seconds > 0 else _RETRY_AFTER_S


def _typed(problem: Mapping[str, Any], name: str, wanted: type) -> Any:
    """WeChat's own word, if it is there and of its type."""
    said = problem.get(name)
    if type(said) is not wanted:
        return None
    return presentable(said, limit=128) if isinstance(said, str) else said
