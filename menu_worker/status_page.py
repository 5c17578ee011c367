"""PURE: what the menu worker's pages show, made from the document at /v1/status.

How a menu looks on a phone is in preview.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from menu_worker.result_told import actor_told, reason_told, told
from menu_worker.results import Drifted, Guarded
from menu_worker.status_words import WORDS
from zhongkong.runtime.answers import rfc3339
from zhongkong.runtime.pages.telling import (
    Moment,
    Trouble,
    head,
    moment,
    process_troubles,
    shown,
    worst_first,
)
from zhongkong.runtime.pages.visits import Brand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from menu_worker.results import Result
    from menu_worker.steps import Change
    from menu_worker.store.base import Revision
    from zhongkong.runtime.pages.words import Words

BRAND: Final = Brand("menu_worker", "menu_worker", "title", WORDS)
TEMPLATE: Final = "status_page.html.j2"
ACCOUNT_TEMPLATE: Final = "account_page.html.j2"
ACCOUNT_PAGE: Final = "/menus/{account}"
PHONES_PAGE: Final = "/menus/{account}/phones"
RECONCILE_FORM: Final = "reconcile"
PAUSE_FORM: Final = "pause"
RESUME_FORM: Final = "resume"
REVISIONS_SHOWN: Final = 20

_CHANGES_SHOWN: Final = 12
_FEW_CALLS: Final = 20
_FORMS: Final = {"reconcile": RECONCILE_FORM, "pause": PAUSE_FORM, "resume": RESUME_FORM}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    kind: str
    words: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MenuCard:
    """One account's menu, as the pages show it."""

    account: str
    file: str | None
    tone: str
    state: str
    detail: str | None
    paused_by: str | None
    verified: Moment | None
    applied: Moment | None
    looked_at: Moment | None
    next_pass: str | None
    quota_left: tuple[tuple[str, int], ...]
    changes: tuple[ChangeRow, ...]
    changes_left_off: int


@dataclass(frozen=True, slots=True)
class RevisionRow:
    id: int
    at: Moment | None
    actor: str
    reason: str
    outcome: str
    tone: str
    detail: str


def changes_of(result: Result | None) -> tuple[Change, ...]:
    """What the last pass would have changed and did not."""
    return result.plan.changes if isinstance(result, Drifted | Guarded) else ()


def content(
    document: Mapping[str, Any],
    results: Mapping[str, Result | None],
    words: Words,
    query: str = "",
) -> dict[str, Any]:
    """What the template of the status page names. `results` of the last passes, by account."""
    accounts, left_off = shown(document["accounts"], query, lambda each: each["account"], _urgency)
    troubles = [*process_troubles(words, document), *_file_troubles(document, words)]
    for account in document["accounts"]:
        result = results.get(account["account"])
        troubles.extend(_account_troubles(account, _detail(account, result, words), words))
    now = document["now"]
    return {
        "state": head(words, document, document["instance"]),
        "troubles": worst_first(troubles),
        "notices": document["config"]["notices"],
        "menus": [menu_card(each, results.get(each["account"]), words, now) for each in accounts],
        "left_off": left_off,
        "query": query,
        "store": document["store"]["address"],
        "token_service": document["token_service"]["address"],
        "files_used": document["files"]["used"],
        "forms": _FORMS,
    }


def account_content(
    account: Mapping[str, Any],
    result: Result | None,
    revisions: Iterable[Revision] | None,
    words: Words,
    now: str,
) -> dict[str, Any]:
    """What the template of one account's page names. `revisions` is None with the store away."""
    return {
        "menu": menu_card(account, result, words, now),
        "revisions": None
        if revisions is None
        else [_revision(each, words, now) for each in revisions],
        "forms": _FORMS,
    }


def menu_card(
    account: Mapping[str, Any], result: Result | None, words: Words, now: str
) -> MenuCard:
    """One account, from its part of the status document and how its last pass ended."""
    due_s, changes = account["next_pass_in_s"], changes_of(result)
    return MenuCard(
        account=account["account"],
        file=account["file"],
        tone=("good", "warn", "bad")[_urgency(account)],
        state=words({True: "in_sync", False: "differs", None: "sync_unknown"}[account["in_sync"]]),
        detail=account["desired_refused_because"] or _detail(account, result, words),
        paused_by=account["paused_by"],
        verified=moment(words, account["verified_at"], now),
        applied=moment(words, account["applied_at"], now),
        looked_at=moment(words, account["at"], now),
        next_pass=None if due_s is None else words("in", span=words.span(due_s)),
        quota_left=tuple(sorted(account["quota_left"].items())),
        changes=tuple(
            ChangeRow(
                each.kind.value,
                words.named("change", each.kind.value),
                " / ".join(each.path),
                each.before,
                each.after,
            )
            for each in changes[:_CHANGES_SHOWN]
        ),
        changes_left_off=max(len(changes) - _CHANGES_SHOWN, 0),
    )


def _revision(revision: Revision, words: Words, now: str) -> RevisionRow:
    outcome = revision.outcome.value
    return RevisionRow(
        revision.id,
        moment(words, rfc3339(revision.at), now),
        actor_told(revision.actor, words),
        reason_told(revision.reason, words),
        words.named("outcome", outcome),
        {"verified": "good", "failed": "bad"}.get(outcome, "warn"),
        revision.detail,
    )


def _file_troubles(document: Mapping[str, Any], words: Words) -> Iterator[Trouble]:
    for path, violations in document["files"]["refused"].items():
        for line in violations:
            yield Trouble(words("file_refused"), path, line)
    for pattern in document["files"]["unmatched"]:
        detail = words("unmatched_detail", pattern=pattern)
        yield Trouble(words("file_unmatched"), detail=detail, tone="warn")


def _detail(account: Mapping[str, Any], result: Result | None, words: Words) -> str | None:
    """In the page's language; as the document has it, in English, when the result isn't known."""
    detail: str | None = account["detail"] if result is None else told(result, words)
    return detail


def _account_troubles(
    account: Mapping[str, Any], detail: str | None, words: Words
) -> Iterator[Trouble]:
    name, detail = account["account"], detail or ""
    if account["desired_refused_because"]:
        yield Trouble(words("desired_refused"), name, account["desired_refused_because"])
    elif account["standing_down"]:
        yield Trouble(words("standing_down"), name, detail, tone="warn")
    elif account["in_sync"] is False:
        tone = "warn" if account["paused_by"] is not None else "bad"
        yield Trouble(words("not_right"), name, detail, tone=tone)
    if account["contested"]:
        yield Trouble(words("contested"), name, remedy=words("contested_do"))
    if account["switched_off"]:
        yield Trouble(words("switched_off"), name, tone="warn")
    for path, left in account["quota_left"].items():
        if left <= _FEW_CALLS:
            yield Trouble(words("quota_low"), name, f"{path}: {left}", tone="warn")


def _urgency(account: Mapping[str, Any]) -> int:
    if account["desired_refused_because"] or account["contested"] or account["in_sync"] is False:
        return 1 if account["paused_by"] is not None else 2
    return 1 if account["in_sync"] is None or account["paused_by"] is not None else 0
