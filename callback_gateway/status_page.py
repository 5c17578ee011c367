"""PURE: what the gateway's pages show, made from the document at /v1/status and its dead letters.

Of an event nothing is here but what the API shows of it; no secret comes in, so none gets out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from callback_gateway.inbox.records import NOWHERE
from callback_gateway.status_words import WORDS
from callback_gateway.tallies import BOUNDS_S
from zhongkong.runtime.pages.telling import (
    Moment,
    Trouble,
    head,
    moment,
    process_troubles,
    shown,
    spending,
    worst_first,
)
from zhongkong.runtime.pages.visits import Brand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from callback_gateway.recent import Traffic
    from zhongkong.runtime.pages.words import Words

BRAND: Final = Brand("callback_gateway", "callback_gateway", "title", WORDS)
TEMPLATE: Final = "status_page.html.j2"
LETTER_TEMPLATE: Final = "letter_page.html.j2"
LETTER_PAGE: Final = "/letters/{id}"
REDRIVE_FORM: Final = "redrive"
DROP_FORM: Final = "drop"
ENABLE_FORM: Final = "enable"
LETTERS_SHOWN: Final = 10

_ATTEMPTS_SHOWN: Final = 8
_STATUS: Final = "http_"
_FORMS: Final = {"redrive": REDRIVE_FORM, "drop": DROP_FORM, "enable": ENABLE_FORM}


@dataclass(frozen=True, slots=True)
class AccountCard:
    """One account, as the page shows it. Counts are of this process since its start."""

    name: str
    appid: str
    mode: str
    tone: str
    a_minute: str
    answered: tuple[tuple[str, int], ...]
    refused: tuple[tuple[str, int], ...]
    retries: int
    joins: int
    duplicates: int
    old_token: Moment | str
    old_aes_key: Moment | str


@dataclass(frozen=True, slots=True)
class SpeedRow:
    outcome: str
    count: int
    half_within: str
    most_within: str


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target. `words` is what it is called here, `name` what forms call it."""

    name: str
    words: str
    state: str
    tone: str
    disabled: bool
    waiting: int | None
    leased: int | None
    dead: int | None
    oldest_due: str | None


@dataclass(frozen=True, slots=True)
class LetterRow:
    id: str
    account: str
    target: str
    kind: str
    reason: str
    accepted: Moment | None
    died: Moment | None
    attempts: tuple[str, ...]
    attempts_left_off: int


@dataclass(frozen=True, slots=True)
class LetterPage:
    """A page of dead letters as the API lists them; `listed` is None when the store is away."""

    listed: Sequence[Mapping[str, Any]] | None
    next: str | None = None
    target: str | None = None
    """Only those of this target."""
    after: str | None = None
    """Where the page begins; None at the first."""


def content(
    document: Mapping[str, Any],
    traffic: Traffic,
    letters: LetterPage,
    words: Words,
    query: str = "",
) -> dict[str, Any]:
    """What the template of the status page names. `query` is a part of accounts' names."""
    now = document["now"]
    accounts, left_off = shown(
        document["accounts"], query, lambda each: each["account"], _is_skewed
    )
    troubles = [
        *_store_troubles(document, words),
        *process_troubles(words, document),
        *_account_troubles(document, words),
        *_target_troubles(document, words),
    ]
    inbox = document["inbox"]
    return {
        "state": head(words, document, document["replica"]),
        "troubles": worst_first(troubles),
        "notices": document["config"]["notices"],
        "accounts": [_account(each, traffic, words, now) for each in accounts],
        "left_off": left_off,
        "query": query,
        "window_s": round(traffic.window_s),
        "speeds": _speeds(traffic, words),
        "targets": [_target(each, words) for each in _with_unreadable(document)],
        "letters": None
        if letters.listed is None
        else [letter_row(each, words, now) for each in letters.listed],
        "chosen": letters.target,
        "chosen_words": "" if letters.target is None else _called(letters.target, words),
        "is_first": letters.after is None,
        "first_page": _link(letters.target, None),
        "next_page": None if letters.next is None else _link(letters.target, letters.next),
        "store": {
            **document["store"],
            "durability": words.named("durability", document["store"]["durability"]),
        },
        "spool": document["spool"],
        "inbox": None if inbox is None else spending(inbox["events"], inbox["limit"]),
        "routes": document["config"]["routes"],
        "forms": _FORMS,
    }


def letter_content(
    letter: Mapping[str, Any], event: str | None, words: Words, now: str
) -> dict[str, Any]:
    """What the template of one dead letter names. `event` as text, when it may be seen."""
    return {"letter": letter_row(letter, words, now), "event": event, "forms": _FORMS}


def letter_row(letter: Mapping[str, Any], words: Words, now: str) -> LetterRow:
    """One dead letter, without its event."""
    attempts = letter["attempts"]
    return LetterRow(
        letter["id"],
        letter["account"],
        _called(letter["target"], words),
        words.named("delivery", letter["kind"]),
        words.said("why", letter["reason"]),
        moment(words, letter["accepted_at"], now),
        moment(words, letter["died_at"], now),
        tuple(
            f"{each['at']} · "
            + words(
                "attempt_took", outcome=_attempt(each["outcome"], words), seconds=each["took_s"]
            )
            for each in attempts[-_ATTEMPTS_SHOWN:]
        ),
        max(len(attempts) - _ATTEMPTS_SHOWN, 0),
    )


def _account(account: Mapping[str, Any], traffic: Traffic, words: Words, now: str) -> AccountCard:
    name = account["account"]
    rate = traffic.a_minute.get(name, 0.0)
    return AccountCard(
        name=name,
        appid=account["appid"],
        mode=words.named("mode", account["mode"]),
        tone="warn" if _is_skewed(account) else "good",
        a_minute=f"{rate:,.1f}" if 0 < rate < 10 else f"{rate:,.0f}",
        answered=_ranked(account["answered"], "outcome", words),
        refused=_ranked(account["refused"], "refusal", words),
        retries=account["retries"],
        joins=account["joins"],
        duplicates=account["duplicates"],
        old_token=_old(account, "token", words, now),
        old_aes_key=_old(account, "aes_key", words, now),
    )


def _old(account: Mapping[str, Any], what: str, words: Words, now: str) -> Moment | str:
    """When the previous one was used last, where there is one."""
    if account[f"{what}s"] < 2:
        return words("only_one")
    return moment(words, account[f"old_{what}_used_at"], now) or words("not_used")


def _ranked(counts: Mapping[str, int], group: str, words: Words) -> tuple[tuple[str, int], ...]:
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return tuple((words.named(group, name), count) for name, count in ranked)


def _attempt(outcome: str, words: Words) -> str:
    status = outcome.removeprefix(_STATUS)
    return words("http", status=status) if status != outcome else words.named("attempt", outcome)


def _speeds(traffic: Traffic, words: Words) -> list[SpeedRow]:
    return [
        SpeedRow(
            words.named("outcome", outcome),
            speed.count,
            _within(speed.half_within_s, words),
            _within(speed.nearly_all_within_s, words),
        )
        for outcome, speed in sorted(traffic.speeds.items())
    ]


def _within(bound_s: float | None, words: Words) -> str:
    if bound_s is None:
        return words("longer", seconds=f"{BOUNDS_S[-1]:g}")
    return f"{bound_s:g} s" if bound_s >= 1 else f"{bound_s * 1000:g} ms"


def _with_unreadable(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    unreadable = document["unreadable_events"]
    if not unreadable:
        return list(document["targets"])
    nowhere = {"target": NOWHERE, "configured": True, "disabled": False, "dead": unreadable}
    counts = dict.fromkeys(("waiting", "leased", "oldest_due_s"))
    return [*document["targets"], {**nowhere, **counts}]


def _target(target: Mapping[str, Any], words: Words) -> TargetRow:
    oldest_s = target["oldest_due_s"]
    state, tone = "enabled", "good"
    if target["disabled"]:
        state, tone = "disabled", "bad"
    elif not target["configured"]:
        state, tone = "not_configured", "warn"
    name = target["target"]
    return TargetRow(
        name,
        _called(name, words),
        "" if name == NOWHERE else words(state),
        tone,
        target["disabled"],
        target["waiting"],
        target["leased"],
        target["dead"],
        None if not oldest_s else words.span(oldest_s),
    )


def _called(target: str, words: Words) -> str:
    return words("unread_target") if target == NOWHERE else target


def _link(target: str | None, after: str | None) -> str:
    query = {"target": target, "after": after}
    text = urlencode({name: value for name, value in query.items() if value is not None})
    return f"/?{text}#letters-title" if text else "/#letters-title"


def _is_skewed(account: Mapping[str, Any]) -> bool:
    return account["clock_skew_s"] is not None


def _store_troubles(document: Mapping[str, Any], words: Words) -> Iterator[Trouble]:
    store, spool, inbox = document["store"], document["spool"], document["inbox"]
    if not store["reachable"]:
        yield Trouble(words("store_away"), "", store["address"], words("store_away_do"))
    if not store["keeps_durability"]:
        yield Trouble(words("durability_broken"), store["durability"], "", words("durability_do"))
    if spool is not None and spool["events"]:
        detail = words("spool_waits", count=spool["events"])
        yield Trouble(words("spool_not_empty"), detail=detail, tone="warn")
    if inbox is not None:
        used = spending(inbox["events"], inbox["limit"])
        if used.tone != "good":
            title = "inbox_full" if used.tone == "bad" else "inbox_nearly_full"
            yield Trouble(words(title), "", used.told, words("inbox_do"), used.tone)


def _account_troubles(document: Mapping[str, Any], words: Words) -> Iterator[Trouble]:
    for account in document["accounts"]:
        if _is_skewed(account):
            seconds = f"{account['clock_skew_s']:+.0f}"
            detail = words("clock_skew_detail", seconds=seconds)
            yield Trouble(
                words("clock_skew"), account["account"], detail, words("clock_skew_do"), "warn"
            )
    if document["unreadable_events"]:
        detail = words("unreadable_detail", count=document["unreadable_events"])
        yield Trouble(words("unreadable"), detail=detail, tone="warn")


def _target_troubles(document: Mapping[str, Any], words: Words) -> Iterator[Trouble]:
    for target in document["targets"]:
        if target["disabled"]:
            yield Trouble(
                words("target_disabled"), target["target"], "", words("target_disabled_do")
            )
        if target["dead"]:
            detail = words("target_dead_detail", count=target["dead"])
            yield Trouble(
                words("target_dead"), target["target"], detail, words("target_dead_do"), "warn"
            )
