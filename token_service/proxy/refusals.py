"""PURE: why the proxy says no: every refusal that it knows. What one is, is in `refusal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service import problems
from token_service.proxy.refusal import Outcome, Refusal

if TYPE_CHECKING:
    from token_service.served import NoLiveToken


def bad_path(why: str) -> Refusal:
    detail = f"This path can't be forwarded: {why}."
    return Refusal(400, "bad-path", 40066, detail, sdk_status=400)


def malformed(detail: str) -> Refusal:
    return Refusal(400, "bad-request", 40035, detail, sdk_status=400)


def wrong_method() -> Refusal:
    detail = "WeChat's API is called with GET and POST; other methods aren't forwarded."
    return Refusal(405, "wrong-method", 43002, detail, headers={"Allow": "GET, HEAD, POST"})


def leak() -> Refusal:
    detail = (
        "The request holds a client's key or an opaque token where it would be forwarded; "
        "it was not sent. An opaque token belongs in access_token, a key in secret, once."
    )
    return Refusal(400, "credential-misplaced", 40035, detail, sdk_status=400)


def bad_key() -> Refusal:
    detail = (
        "secret must be the key of a client that is configured in the token service, not the "
        "AppSecret; `token-service keys new NAME` makes one."
    )
    return Refusal(401, "no-key", 40125, detail)


def unknown_appid() -> Refusal:
    return Refusal(
        404,
        "unknown-account",
        40013,
        "No account with this appid is configured in the token service, or it is not the account "
        "that this token is for.",
    )


def missing(name: str, errcode: int, what: str) -> Refusal:
    return Refusal(400, "bad-request", errcode, f"{name} is missing: {what}")


def bad_token(why: str) -> Refusal:
    detail = (
        f"access_token is none that this service takes ({why}); fetch one from /cgi-bin/token "
        "with the client's key as secret."
    )
    return Refusal(401, "bad-token", 40001, detail)


def no_right(client: str, what: str) -> Refusal:
    detail = (
        f"Client {client} lacks the right {what}; its entry under `clients` in the token "
        "service's configuration says what it may do."
    )
    return Refusal(403, "no-right", 48001, detail)


def no_ticket(account: str) -> Refusal:
    detail = f"Account {account} keeps no ticket of this type; its setting `tickets` lists them."
    return Refusal(404, "unknown-kind", 48001, detail)


def denied() -> Refusal:
    return Refusal(
        403,
        "path-denied",
        48001,
        "The token service forwards nobody's calls to this path: it makes tokens or resets quotas.",
    )


def secret_on_unknown_path() -> Refusal:
    return Refusal(
        403,
        "secret-on-unknown-path",
        48001,
        "secret is taken on the paths under proxy.secret_paths alone; this is none of them, so "
        "the call was not sent.",
    )


def packed() -> Refusal:
    detail = "A compressed body can't be looked through; send it without Content-Encoding."
    return Refusal(415, "compressed-body", 40035, detail, sdk_status=415)


def too_many(retry_after_s: float, what: str) -> Refusal:
    return Refusal(
        429,
        "too-many-calls",
        45011,
        f"Too many calls: {what} is the limit; try again in {max(1, round(retry_after_s))} s.",
        Outcome.LIMITED,
        headers=problems.retry_after(retry_after_s),
    )


def busy() -> Refusal:
    return Refusal(
        503,
        "busy",
        -1,
        "The token service has too many calls to WeChat under way; try again in a second.",
        Outcome.LIMITED,
        headers=problems.retry_after(1),
    )


def no_live_token(reason: NoLiveToken) -> Refusal:
    problem = problems.no_live_token(reason)
    return Refusal(
        503,
        "no-live-token",
        -1,
        reason.detail,
        Outcome.NO_TOKEN,
        headers=problem.headers,
        extra=problem.extra,
    )


def undecided() -> Refusal:
    return Refusal(
        503,
        "undecided",
        -1,
        "No live token can be given now: the store is away or WeChat is slow. Try again.",
        Outcome.NO_TOKEN,
        headers=problems.retry_after(2),
    )


def not_sent(detail: str) -> Refusal:
    return Refusal(
        502,
        "wechat-not-reached",
        -1,
        f"WeChat was not reached, the call was not sent ({detail}); it may be repeated.",
        Outcome.NOT_SENT,
    )


def unseen(detail: str) -> Refusal:
    return Refusal(
        502,
        "answer-lost",
        -1,
        f"The call was sent and no usable answer came ({detail}); WeChat may have carried it out, "
        "so it was not repeated.",
        Outcome.UNKNOWN,
    )


def too_slow(timeout_s: float) -> Refusal:
    return Refusal(
        504,
        "answer-late",
        -1,
        f"WeChat was silent for {timeout_s:g} s after the call was sent; it may have carried it "
        "out, so it was not repeated. proxy.timeout is the limit.",
        Outcome.UNKNOWN,
    )


def body_late() -> Refusal:
    detail = "The body did not arrive in time; proxy.timeout is the longest silence."
    return Refusal(408, "body-late", -1, detail, sdk_status=408)


def body_broken() -> Refusal:
    detail = "The body breaks off or is not encoded as it says."
    return Refusal(400, "bad-request", 47001, detail, sdk_status=400)
