"""PURE: how status documents are told to a person: moments, spans, shares, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zhongkong.runtime.pages.words import Words

Row = TypeVar("Row")

ROWS_AT_MOST: Final = 100
"""Of one kind on one page; who has more filters by name."""

QUERY_AT_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as RFC 3339, and how far it is from now."""

    at: str
    told: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A share of something: whole per cents, in words, and `good`, `warn` or `bad`."""

    share: int
    told: str
    tone: str = "good"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What somebody has to look at. `subject` is the account or target, `tone` warn or bad."""

    title: str
    subject: str = ""
    detail: str = ""
    remedy: str = ""
    tone: str = "bad"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above everything: which process this is, and whether it is ready."""

    name_label: str
    name: str
    now: str
    ready: bool
    not_ready_because: str | None


def head(words: Words, document: Mapping[str, Any], name: str) -> Head:
    """Of any status document."""
    return Head(
        words("replica"), name, document["now"], document["ready"], document["not_ready_because"]
    )


def moment(words: Words, at: str | None, now: str) -> Moment | None:
    """A time seen from `now`, both as RFC 3339 in UTC."""
    if at is None:
        return None
    away_s = (datetime.fromisoformat(at) - datetime.fromisoformat(now)).total_seconds()
    if away_s == 0:
        return Moment(at, words("overdue"))
    key = "in" if away_s > 0 else "ago"
    return Moment(at, words(key, span=words.span(abs(away_s))))


def seconds_between(start: str, end: str) -> float:
    """From one time in RFC 3339 to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def share(part: float, whole: float) -> int:
    """Per cents, from 0 to 100; of nothing, 0."""
    return 0 if whole <= 0 else max(0, min(100, round(100 * part / whole)))


def spending(spent: int, limit: int) -> Bar:
    """How much of what is allowed was used. What was used at all can be seen."""
    used = share(spent, limit)
    tone = "bad" if spent >= limit else "warn" if used >= 80 else "good"
    return Bar(max(used, 1) if spent else 0, f"{spent:,} / {limit:,}", tone)


def process_troubles(words: Words, document: Mapping[str, Any]) -> Iterator[Trouble]:
    """Of configuration and background tasks, which every service has."""
    config = document["config"]
    for line in config.get("refused_because", ()):
        yield Trouble(words("config_refused"), detail=line)
    for line in (*config.get("unreadable_secrets", ()), *config.get("unusable_secrets", ())):
        yield Trouble(words("secret_unreadable"), detail=line)
    for task, error in document["failing_tasks"].items():
        yield Trouble(words("task_failing"), task, error, words("task_failing_do"))


def worst_first(troubles: Sequence[Trouble]) -> list[Trouble]:
    """The troubles that are shown, in the order in which they want to be seen to."""
    return sorted(troubles, key=lambda trouble: trouble.tone != "bad")[:ROWS_AT_MOST]


def shown(
    rows: Sequence[Row], query: str, name: Callable[[Row], str], urgency: Callable[[Row], int]
) -> tuple[list[Row], int]:
    """The rows whose name has `query` in it, the most urgent first, and how many are left off."""
    fitting = [row for row in rows if query.lower() in name(row).lower()]
    fitting.sort(key=lambda row: -urgency(row))
    return fitting[:ROWS_AT_MOST], max(len(fitting) - ROWS_AT_MOST, 0)
