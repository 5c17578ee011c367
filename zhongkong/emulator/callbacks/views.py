"""Callbacks and pushes as plain JSON, for the control calls. Tokens and keys are never shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zhongkong.emulator.callbacks.bodies import CallbackQuestion, ReconciliationQuestion
    from zhongkong.emulator.callbacks.book import PushBook
    from zhongkong.emulator.callbacks.bulk import BulkRun
    from zhongkong.emulator.callbacks.configuration import Callback
    from zhongkong.emulator.callbacks.feed import FeedEntry
    from zhongkong.emulator.callbacks.records import Attempt, Identity, PushRecord


W = TypeVar("W", bound=str)


def callback(of: Callback) -> dict[str, Any] | None:
    """None where none is configured and none was tried."""
    settings, verification = of.settings, of.verification
    if settings is None and verification is None:
        return None
    shown: dict[str, Any] = {"url": None}
    if settings is not None:
        shown = {
            "url": settings.url,
            "mode": settings.mode,
            "format": settings.format,
            "token": "set",
            "aes_key": _whether(settings.aes_key),
            "previous_aes_key": _whether(settings.previous_aes_key),
        }
    return {**shown, "verification": asdict(verification) if verification else None}


def push(of: PushRecord) -> dict[str, Any]:
    """`fields` is None for a push of a bulk."""
    return {
        "id": of.id,
        "at": of.at,
        "appid": of.appid,
        "user": of.openid,
        "outcome": of.outcome,
        "seen": of.seen,
        "attack": of.course.attack,
        "identity": identity(of.identity),
        "message_sha256": of.message_sha256,
        "fields": of.fields,
        "tries": [attempt(each) for each in of.attempts],
    }


def attempt(of: Attempt) -> dict[str, Any]:
    return {
        "seq": of.seq,
        "at": of.at,
        "appid": of.appid,
        "push": of.push,
        "try": of.number,
        "repeat": of.repeat,
        "attack": of.attack,
        "identity": identity(of.identity),
        "body_sha256": of.body_sha256,
        "body_bytes": of.body_bytes,
        "status": of.status,
        "answer": of.answer,
        "ok": None if of.answer is None else of.ok,
        "problem": of.problem,
        "took_s": of.took_s,
        "seen": of.seen,
    }


def identity(of: Identity) -> dict[str, Any]:
    return {name: value for name, value in asdict(of).items() if value is not None}


def callbacks_page(book: PushBook, question: CallbackQuestion) -> dict[str, Any]:
    """With `after`: the oldest above it, for paging. Without: the newest ones."""
    matching = [each for each in book.attempts_after(question.after or 0) if _fits(each, question)]
    count = question.count
    page = matching[-count:] if question.after is None else matching[:count]
    newest = book.attempts[-1].seq if book.attempts else 0
    return {
        "callbacks": [attempt(each) for each in page],
        "left_off": len(matching) - len(page),
        "forgotten": book.forgotten_attempts,
        "next": page[-1].seq if page else max(newest, question.after or 0),
    }


def reconciliation(book: PushBook, question: ReconciliationQuestion) -> dict[str, Any]:
    """One short row a push, the oldest first. `ok` is None while it is under way."""
    matching = [
        each
        for each in book.pushes_after(question.after)
        if question.appid in {None, each.appid}
        and question.user in {None, each.openid}
        and question.outcome in {None, each.outcome}
    ]
    page = matching[: question.count]
    return {
        "pushes": [_row(each) for each in page],
        "left_off": len(matching) - len(page),
        "forgotten": book.forgotten_pushes,
        "next": page[-1].seq if page else question.after,
    }


def totals(book: PushBook) -> dict[str, Any]:
    """Exact since the start, however much has fallen out."""
    return {
        "pushes": _by_appid(book.outcomes),
        "callbacks": _by_appid(book.answers),
    }


def feed(entries: Sequence[FeedEntry], after: int) -> dict[str, Any]:
    return {
        "entries": [asdict(each) for each in entries],
        "next": entries[-1].seq if entries else after,
    }


def bulk(of: BulkRun) -> dict[str, Any]:
    finished = of.outcomes.total()
    return {
        "id": of.id,
        "appid": of.appid,
        "state": of.state,
        "problem": of.problem,
        "count": of.wish.count,
        "begun": of.begun,
        "outcomes": dict(of.outcomes),
        "tries": of.tries,
        "answers": dict(of.answers),
        "statuses": dict(of.statuses),
        "took_s": round(of.took_s, 3),
        "pushes_per_s": round(finished / of.took_s, 1) if of.took_s > 0 else None,
        "answer_s": {
            **{f"p{share}": _rounded(of.spread.quantile(share / 100)) for share in (50, 95, 99)},
            "max": _rounded(of.spread.most),
        },
        "late_s": _rounded(of.late_s),
        "first_push": of.first_push,
        "last_push": of.last_push,
    }


def _row(of: PushRecord) -> dict[str, Any]:
    ok = None if of.outcome == "under_way" else of.outcome == "answered"
    return {
        "id": of.id,
        "seq": of.seq,
        "identity": identity(of.identity),
        "message_sha256": of.message_sha256,
        "ok": ok,
        "outcome": of.outcome,
        "tries": len(of.attempts),
        "attack": of.course.attack,
    }


def _fits(each: Attempt, question: CallbackQuestion) -> bool:
    return (
        question.appid in {None, each.appid}
        and question.user in {None, each.identity.from_user}
        and question.push in {None, each.push}
        and question.answer in {None, each.answer}
        and question.attack in {None, each.attack}
    )


def _by_appid(counts: Mapping[tuple[str, W], int]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (appid, what), count in counts.items():
        table.setdefault(appid, {})[what] = count
    return table


def _whether(secret: str | None) -> str:
    return "not set" if secret is None else "set"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
