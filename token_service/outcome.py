"""PURE: what a finished upstream call means for its slot: a token, a wait, or work for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from token_service.slot import Abandonment, Call, Failure, FailureKind, Refusal
from zhongkong.wechat.errors import (
    AddressRefused,
    QuotaExhausted,
    Transient,
    WeChatError,
)
from zhongkong.wechat.limits import next_reset

if TYPE_CHECKING:
    from token_service.policy import Policy, Replica

_MAX_EXPONENT = 10


@dataclass(frozen=True, slots=True)
class Minted:
    """WeChat gave a token; it lives `expires_in_s` from the moment before the call was sent."""

    value: str = field(repr=False)
    expires_in_s: float
    made_with: str | None = None
    """Of a ticket: the version of the access token that fetched it."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """The call provably never reached WeChat: DNS, connect, TLS, or our own lease."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been carried out: timeout, reset after the send, -1, 5xx, unreadable answer."""

    detail: str
    errcode: int | None = None
    rid: str | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """WeChat said no, and did nothing."""

    error: WeChatError


Outcome = Minted | Unsent | Unknown | Denied


def outcome_name(outcome: Outcome) -> str:
    """A bounded label for metrics and logs."""
    match outcome:
        case Minted():
            return "ok"
        case Unsent():
            return "not_sent"
        case Unknown():
            return "unknown"
        case Denied(error):
            return type(error).__name__


def ending_of(
    outcome: Unsent | Unknown | Denied,
    call: Call,
    previous: Failure | None,
    me: Replica,
    *,
    now: float,
    policy: Policy,
    chance: float,
) -> Abandonment:
    """How a call without a token ends. `chance` in [0, 1) draws the jitter."""
    if isinstance(outcome, Denied) and isinstance(outcome.error, AddressRefused):
        return Abandonment(sent=True, unknown=False, refusal=_refusal(outcome.error, me, now))
    attempts = 1 if previous is None else previous.attempts + 1
    kind, wait_s = _patience(outcome, call, attempts, now, policy, chance)
    failure = Failure(
        kind=kind,
        at=now,
        retry_at=now + wait_s,
        attempts=attempts,
        detail=detail_of(outcome),
        errcode=_errcode(outcome),
        rid=_rid(outcome),
        hint=outcome.error.hint if isinstance(outcome, Denied) else None,
        credential=me.credential,
    )
    return Abandonment(
        sent=not isinstance(outcome, Unsent), unknown=isinstance(outcome, Unknown), failure=failure
    )


def _patience(
    outcome: Unsent | Unknown | Denied,
    call: Call,
    attempts: int,
    now: float,
    policy: Policy,
    chance: float,
) -> tuple[FailureKind, float]:
    backoff_s = backoff(attempts, policy, chance)
    if isinstance(outcome, Unsent):
        return FailureKind.TRANSIENT, backoff_s
    if isinstance(outcome, Unknown):
        apart_s = policy.doubt_mint_apart_s if call is Call.CLASSIC else 0.0
        return FailureKind.UNKNOWN_OUTCOME, apart_s + backoff_s
    error = outcome.error
    if isinstance(error, Transient):
        return FailureKind.TRANSIENT, error.retry_after_s + backoff_s
    if isinstance(error, QuotaExhausted) and call is Call.FORCED:
        # 20 a day, of which others may have spent some. Normal calls have a quota of their own.
        return FailureKind.TRANSIENT, backoff_s
    if isinstance(error, QuotaExhausted):
        return FailureKind.QUOTA, next_reset(now) - now
    return FailureKind.OPERATOR, policy.operator_retry_s * (1 + chance / 10)


def backoff(attempts: int, policy: Policy, chance: float) -> float:
    """Exponential with full jitter, never below a fifth of its base."""
    ceiling = policy.backoff_base_s * 2.0 ** min(attempts, _MAX_EXPONENT)
    return max(policy.backoff_base_s / 5, chance * min(policy.backoff_cap_s, ceiling))


def _refusal(error: AddressRefused, me: Replica, now: float) -> Refusal:
    return Refusal(me.name, error.errcode, now, now + error.retry_after_s, error.address)


def detail_of(outcome: Outcome) -> str:
    """What happened, for a person; empty when a token came."""
    match outcome:
        case Minted():
            return ""
        case Denied(error):
            return str(error)
        case Unsent(detail) | Unknown(detail):
            return detail


def _errcode(outcome: Unsent | Unknown | Denied) -> int | None:
    match outcome:
        case Denied(error):
            return error.errcode
        case Unknown(errcode=code):
            return code
        case _:
            return None


def _rid(outcome: Unsent | Unknown | Denied) -> str | None:
    match outcome:
        case Denied(error):
            return error.rid
        case Unknown(rid=rid):
            return rid
        case _:
            return None
