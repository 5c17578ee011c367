"""The emulator's state as plain JSON, for the control calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.callbacks import views as callback_views
from zhongkong.emulator.entries import (
    EffectDone,
    RequestSeen,
    TokenDied,
    TokenIssued,
    TokenUsed,
)

if TYPE_CHECKING:
    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.book import PushBook
    from zhongkong.emulator.control_bodies import LedgerQuestion
    from zhongkong.emulator.entries import Entry
    from zhongkong.emulator.families import TokenFamily
    from zhongkong.emulator.faults import FaultPlan
    from zhongkong.emulator.ledger import Ledger
    from zhongkong.emulator.users import User
    from zhongkong.emulator.world import EmulatedTime

_KINDS: Final[dict[type[Entry], str]] = {
    TokenIssued: "issued",
    TokenDied: "died",
    TokenUsed: "used",
    EffectDone: "effect",
    RequestSeen: "request",
}


def clock(time: EmulatedTime) -> dict[str, Any]:
    return {"now": time.now(), "offset_s": time.offset_s, "frozen": time.frozen}


def account(state: AccountState, now: float) -> dict[str, Any]:
    allowlist = state.allowlist
    return {
        "appid": state.appid,
        "secret": state.secret,
        "original_id": state.original_id,
        "kind": state.kind.value,
        "frozen": state.frozen,
        "secret_frozen": state.secret_frozen,
        "token_barred": state.token_barred,
        "menu_rights": state.menu_rights,
        "mini_programs": state.mini_programs,
        "allowlist": {
            **asdict(allowlist.settings),
            "pending": allowlist.pending,
            "approved": sorted(allowlist.approved),
            "refused": allowlist.refused,
        },
        "used_today": dict(state.counters.daily),
        "forced_today": state.counters.forced_today,
        "callback": callback_views.callback(state.callback),
        "slow_handler": None if state.slow_handler is None else asdict(state.slow_handler),
        "quota_clears_this_month": state.counters.clears_this_month,
        "classic": _family(state.classic, now),
        "stable": _family(state.stable, now),
    }


def user(of: User, now: float) -> dict[str, Any]:
    credit = {"left": of.credit.left, "until": of.credit.until}
    return {**asdict(of.profile), "credit": credit if now < of.credit.until else None}


def faults(plan: FaultPlan) -> list[dict[str, Any]]:
    return [
        {"id": fault_id, "strikes": plan.strikes[fault_id], **asdict(fault)}
        for fault_id, fault in plan.active.items()
    ]


def ledger_page(ledger: Ledger, question: LedgerQuestion) -> dict[str, Any]:
    """With `since`: the oldest entries above it, for paging. Without: the newest ones."""
    matching = [each for each in ledger.since(question.since or 0) if _matches(each, question)]
    count = question.count
    page = matching[-count:] if question.since is None else matching[:count]
    return {
        "entries": [{"kind": _KINDS[type(each)], **asdict(each)} for each in page],
        "left_off": len(matching) - len(page),
        "next": page[-1].seq if page and question.since is not None else ledger.mark(),
    }


def totals(ledger: Ledger, book: PushBook) -> dict[str, Any]:
    """Exact since the start, however much of the ledger has fallen out."""
    mints = [
        {"appid": appid, "family": family, "by": by, "count": count}
        for (appid, family, by), count in ledger.mint_counts.items()
    ]
    calls: Counter[str] = Counter()
    for (_, path, _), count in ledger.call_counts.items():
        calls[path] += count
    effects = [
        {"appid": appid, "effect": effect, "count": count}
        for (appid, effect), count in ledger.effect_counts.items()
    ]
    return {
        "mints": mints,
        "calls": dict(calls),
        "effects": effects,
        "dead_uses": ledger.dead_uses(),
        **callback_views.totals(book),
    }


def _family(family: TokenFamily, now: float) -> list[dict[str, Any]]:
    return [
        {
            "value": each.value,
            "issued_at": each.issued_at,
            "expires_at": each.expires_at,
            "ends_at": each.ends_at,
        }
        for each in family.living(now)
    ]


def _matches(entry: Entry, question: LedgerQuestion) -> bool:
    wanted = {
        "appid": question.appid,
        "family": question.family,
        "path": question.path,
    }
    return question.kind in {None, _KINDS[type(entry)]} and all(
        value is None or getattr(entry, name, None) == value for name, value in wanted.items()
    )
