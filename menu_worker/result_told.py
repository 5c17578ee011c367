"""PURE: what a pass came to and why a menu was written, in the language of the pages.

In English it is the sentence of result_words. What WeChat, a file or a store said stays as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from menu_worker.guards import Guard
from menu_worker.result_words import kind_of
from menu_worker.results import (
    Applied,
    Drifted,
    Failed,
    Guarded,
    InSync,
    Paused,
    StoodDown,
    Unavailable,
    Untouched,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from menu_worker.results import Result
    from zhongkong.runtime.pages.words import Words


def told(result: Result, words: Words) -> str:
    """What happened, and what to do next where something is to be done."""
    if isinstance(result, Guarded):
        return words("result.guarded", detail=_guarded(result, words))
    text = words(f"result.{kind_of(result)}", **_values(result, words))
    match result:
        case InSync(is_open=False) | Applied(is_open=False):
            return words("and_switched_off", text=text)
        case Failed(restored=True):
            return words("and_restored", text=text)
        case _:
            return text


def reason_told(reason: str, words: Words) -> str:
    """Why a revision was written. Another program's words, in a shared store, stay as they are."""
    return words.said("why", reason)


def actor_told(actor: str, words: Words) -> str:
    """Who wrote a revision: this service by itself, or a person's command."""
    command, by, person = actor.partition(" by ")
    return words("actor_by", command=command, person=person) if by else words.said("actor", actor)


def _values(result: Result, words: Words) -> Mapping[str, object]:
    match result:
        case Applied():
            return {"revision": result.revision}
        case Drifted():
            source = words(f"source.{result.source.value}")
            return {"source": source, "correction": _correction(result, words)}
        case StoodDown():
            at = datetime.fromtimestamp(int(result.winner.claimed_at), UTC)
            return {"instance": result.winner.instance, "at": f"{at:%F %T} UTC"}
        case Paused():
            return {"by": result.by}
        case Failed() | Unavailable() | Untouched():
            return {"detail": result.detail}
        case _:
            return {}


def _guarded(result: Guarded, words: Words) -> str:
    refused = result.refused
    if refused.guard is Guard.TOO_MUCH_REMOVED:
        return words(
            "guard.too_much_removed",
            removed=refused.removed,
            total=refused.total,
            allowed=f"{refused.allowed:.0%}",
        )
    if refused.guard is Guard.EMPTY_DESIRED:
        return words("guard.empty_desired")
    return refused.detail


def _correction(result: Drifted, words: Words) -> str:
    wait_s = result.correction.wait_s
    text = words("correction.waits", span=f"{wait_s:.0f}") if wait_s else words("correction.none")
    return words("and_contested", text=text) if result.correction.contested else text
