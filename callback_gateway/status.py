"""PURE: the document at /v1/status: this process, its store, every account and every target.

No secret, no address of a target and nothing of an event is in it. `callback-gateway status` shows
it as a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from callback_gateway.inbox.records import NOWHERE
from zhongkong.runtime.answers import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account
    from callback_gateway.depth_watch import DepthWatch
    from callback_gateway.inbox.records import Depth
    from callback_gateway.metrics import GatewayMetrics
    from callback_gateway.rules import Rules


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What is true of the whole process."""

    replica: str
    store: str
    """Its address, without credentials."""
    durability: str
    readiness: str | None
    """Why this process should get no traffic; None when it should."""
    spool: str | None = None
    """Its address; None when there is none."""
    config_problems: tuple[str, ...] = ()
    """Why the configuration as it stands is not in force; empty when it is."""
    secret_problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    """Settings without effect, and what is allowed but probably not meant."""
    failing_tasks: dict[str, str] = field(default_factory=dict)


def status_document(
    process: ProcessStatus, rules: Rules, metrics: GatewayMetrics, watch: DepthWatch, now: float
) -> dict[str, Any]:
    """The whole document, plain JSON values only. Counts are of this process since its start."""
    depth = watch.depth
    return {
        "now": rfc3339(now),
        "replica": process.replica,
        "ready": process.readiness is None,
        "not_ready_because": process.readiness,
        "store": {
            "address": process.store,
            "reachable": depth is not None and not metrics.store_is_away,
            "durability": process.durability,
            "keeps_durability": not metrics.promise_is_broken,
        },
        "spool": None
        if process.spool is None
        else {"address": process.spool, "events": watch.spooled},
        "inbox": None if depth is None else {"events": depth.events, "limit": depth.limit},
        "config": {
            "refused_because": list(process.config_problems),
            "unusable_secrets": list(process.secret_problems),
            "notices": list(process.notices),
            "routes": len(rules.routes),
        },
        "failing_tasks": process.failing_tasks,
        "accounts": [_account(account, metrics) for account in rules.accounts.values()],
        "targets": _targets(rules, depth, watch.disabled),
        "unreadable_events": 0 if depth is None else depth.dead.get(NOWHERE, 0),
    }


def _account(account: Account, metrics: GatewayMetrics) -> dict[str, Any]:
    name = account.name
    repeated = metrics.repeated.by(name)
    used_at = metrics.old_credential_used_at
    return {
        "account": name,
        "appid": account.appid,
        "mode": str(account.mode),
        "answered": metrics.callbacks.by(name),
        "refused": metrics.forged_callbacks.by(name),
        "retries": repeated.get("retry", 0),
        "joins": repeated.get("join", 0),
        "duplicates": repeated.get("duplicate", 0),
        "tokens": len(account.tokens),
        "old_token_used_at": _time(used_at.get((name, "token"))),
        "aes_keys": len(account.aes_keys),
        "old_aes_key_used_at": _time(used_at.get((name, "aes_key"))),
        "clock_skew_s": metrics.clock_skew_s.get(name),
    }


def _targets(
    rules: Rules, depth: Depth | None, disabled: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Those configured in their order, then others that something is kept for."""
    names = dict.fromkeys(rules.targets)
    if depth is not None:
        for kept in (depth.waiting, depth.leased, depth.dead):
            names.update(dict.fromkeys(sorted(kept)))
    names.pop(NOWHERE, None)
    return [_target(name, rules, depth, disabled) for name in names]


def _target(
    name: str, rules: Rules, depth: Depth | None, disabled: Mapping[str, str]
) -> dict[str, Any]:
    target = rules.targets.get(name)
    counts: dict[str, Any] = dict.fromkeys(("waiting", "leased", "dead", "oldest_due_s"))
    if depth is not None:
        counts = {
            "waiting": depth.waiting.get(name, 0),
            "leased": depth.leased.get(name, 0),
            "dead": depth.dead.get(name, 0),
            "oldest_due_s": round(depth.oldest_due_s.get(name, 0.0), 1),
        }
    return {
        "target": name,
        "configured": target is not None,
        "disabled": target is not None and disabled.get(name) == target.fingerprint,
        **counts,
    }


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
