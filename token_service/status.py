"""PURE: the document at /v1/status: this process, its store, and every account with its troubles.

No token and no secret is in it. `token-service status` shows it as a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from token_service.freeze_told import document_of
from zhongkong.runtime.answers import rfc3339
from zhongkong.wechat.codes import ERROR_CODES

if TYPE_CHECKING:
    from token_service.freeze import Freeze
    from token_service.served import SlotStatus
    from token_service.slot import Failure, Refusal


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What is true of the whole process."""

    replica: str
    replicas: frozenset[str]
    store: str
    store_reachable: bool
    readiness: str | None
    """Why this process should get no traffic; None when it should."""
    waiting: int
    waiting_limit: int
    config_problems: tuple[str, ...] = ()
    """Why the configuration as it stands is not in force; empty when it is."""
    secret_problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    """Settings without effect, and what is allowed but probably not meant."""
    failing_tasks: dict[str, str] = field(default_factory=dict)
    freeze: Freeze | None = None
    """Why the store grants nobody the right to mint."""


def status_document(process: ProcessStatus, slots: list[SlotStatus], now: float) -> dict[str, Any]:
    """The whole document, plain JSON values only."""
    return {
        "now": rfc3339(now),
        "replica": process.replica,
        "replicas": sorted(process.replicas),
        "ready": process.readiness is None,
        "not_ready_because": process.readiness,
        "store": {
            "address": process.store,
            "reachable": process.store_reachable,
            "frozen": None if process.freeze is None else document_of(process.freeze, now),
        },
        "waiting": {"requests": process.waiting, "limit": process.waiting_limit},
        "config": {
            "refused_because": list(process.config_problems),
            "unreadable_secrets": list(process.secret_problems),
            "notices": list(process.notices),
        },
        "failing_tasks": process.failing_tasks,
        "tokens": [_token(status) for status in slots],
    }


def _token(status: SlotStatus) -> dict[str, Any]:
    return {
        "account": status.account,
        "appid": status.slot.appid,
        "kind": str(status.slot.kind),
        "mode": str(status.slot.mode),
        "live": status.live,
        "version": status.version,
        "issued_at": _time(status.issued_at),
        "expires_at": _time(status.expires_at),
        "expires_in": status.expires_in_s,
        "next_refresh_at": _time(status.next_refresh_at),
        "last_cause": status.last_cause,
        "last_call": status.last_call,
        "in_doubt_since": _time(status.in_doubt_since),
        "waiting_for": status.waiting_for,
        "failure": _failure(status.failure),
        "refused_addresses": [_refusal(refusal) for refusal in status.refusals],
        "budget": {
            str(call): {"spent": status.spent.get(call, 0), "limit": limit}
            for call, limit in status.limits.items()
        },
        "foreign_refreshes": status.foreign_refreshes,
        "last_foreign_refresh_at": _time(status.last_foreign_refresh_at),
        "alarms": [str(alarm) for alarm in status.alarms],
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "kind": str(failure.kind),
        "at": _time(failure.at),
        "retry_at": _time(failure.retry_at),
        "attempts": failure.attempts,
        "detail": failure.detail,
        "errcode": failure.errcode,
        "rid": failure.rid,
        "remedy": _remedy(failure.errcode),
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "replica": refusal.replica,
        "address": refusal.address,
        "errcode": refusal.errcode,
        "at": _time(refusal.at),
        "until": _time(refusal.until),
        "remedy": _remedy(refusal.errcode),
    }


def _remedy(errcode: int | None) -> str | None:
    info = None if errcode is None else ERROR_CODES.get(errcode)
    return None if info is None else info.remedy


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
