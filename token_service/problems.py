"""PURE: why the native API says no: every refusal that it knows, in one place.

How a `Problem` becomes a response is in zhongkong.runtime.problems.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from zhongkong.runtime.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from token_service.served import NoLiveToken, TooSoon

_URN = "urn:zhongkong:problem:"
_LONGEST_RETRY_AFTER_S = 86400


def retry_after(seconds: float) -> dict[str, str]:
    """The Retry-After header: whole seconds, at least one, at most a day."""
    whole = math.ceil(seconds) if math.isfinite(seconds) else _LONGEST_RETRY_AFTER_S
    return {"Retry-After": str(min(max(1, whole), _LONGEST_RETRY_AFTER_S))}


def bad_request(detail: str) -> Problem:
    return _problem(400, "bad-request", "Bad request", detail)


def no_key() -> Problem:
    return _problem(
        401,
        "no-key",
        "No key",
        "Send `Authorization: Bearer <key>` with a key that is configured here; "
        "`token-service keys new NAME` makes one.",
        headers={"WWW-Authenticate": 'Bearer realm="token_service"'},
    )


def no_right(client: str, verb: str, account: str, kind: str) -> Problem:
    return _problem(
        403,
        "no-right",
        "No right",
        f"Client {client} lacks the right `{verb}` for {kind} of account {account}; "
        "its entry under `clients` says what it may do.",
    )


def unknown_path() -> Problem:
    return _problem(
        404, "unknown-path", "Unknown path", "There is nothing here; /openapi.json lists what is."
    )


def unknown_account() -> Problem:
    return _problem(
        404,
        "unknown-account",
        "Unknown account",
        "No account of this name is configured; /v1/accounts lists those that you may use.",
    )


def unknown_kind(known: Iterable[str]) -> Problem:
    return _problem(
        404,
        "unknown-kind",
        "Unknown kind",
        f"This account has no token of this kind; it has {', '.join(known)}.",
    )


def wrong_method(allowed: tuple[str, ...]) -> Problem:
    return _problem(
        405,
        "wrong-method",
        "Wrong method",
        f"This path takes {' and '.join(allowed)}.",
        headers={"Allow": ", ".join(allowed)},
    )


def bad_expectation() -> Problem:
    return _problem(
        417, "bad-expectation", "Bad expectation", "Of Expect, only 100-continue is understood."
    )


def too_soon(refusal: TooSoon) -> Problem:
    return _problem(
        429, "too-soon", "Too soon", refusal.detail, headers=retry_after(refusal.retry_after_s)
    )


def no_live_token(refusal: NoLiveToken) -> Problem:
    """503, with WeChat's code and request id where WeChat said no."""
    failure = refusal.failure
    said = (
        {}
        if failure is None
        else {
            "errcode": failure.errcode,
            "rid": failure.rid,
            "hint": failure.hint,
        }
    )
    return _problem(
        503,
        "no-live-token",
        "No live token",
        refusal.detail,
        headers=retry_after(refusal.retry_after_s),
        extra={name: value for name, value in said.items() if value is not None},
    )


def too_many_waiting() -> Problem:
    return _problem(
        503,
        "too-many-waiting",
        "Too many waiting",
        "Too many requests wait already; the setting `waiters` is the limit.",
        headers=retry_after(1),
    )


def undecided() -> Problem:
    return _problem(
        503,
        "undecided",
        "Undecided",
        "This can't be decided now: the store is away or WeChat is slow. Live tokens are still "
        "handed out.",
        headers=retry_after(2),
    )


def draining() -> Problem:
    return _problem(
        503,
        "draining",
        "Draining",
        "This process is being stopped; ask again.",
        headers=retry_after(1),
    )


def slug_of(problem: Problem) -> str:
    """The last part of a problem's type, for logs; the status where it has no type of its own."""
    return problem.type.removeprefix(_URN) if problem.type.startswith(_URN) else str(problem.status)


def _problem(
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Problem:
    return Problem(status, title, detail, type=_URN + slug, headers=headers, extra=extra)
