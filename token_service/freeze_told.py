"""PURE: a freeze in words, for the log, the status and whoever lifts it. They hold no password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from token_service.freeze import Way, is_at_work
from zhongkong.runtime.answers import rfc3339

if TYPE_CHECKING:
    from token_service.freeze import Freeze


def remedy_of(freeze: Freeze, now: float) -> str:
    """What a person does about a freeze that stands."""
    if is_at_work(freeze, now):
        return "wait for the copy; if it broke off, this is known within a minute"
    if freeze.way is Way.IN:
        return (
            "repeat the copy; to go on with what is here, `token-service store thaw` once the "
            "service on the other store has ended"
        )
    return (
        "use the service on the other store, and stop this one; the way back is `token-service "
        "store thaw`, while no service runs on the other store"
    )


def document_of(freeze: Freeze, now: float) -> dict[str, Any]:
    """A freeze that stands, for the status document."""
    return {
        **fields_of(freeze),
        "at_work": is_at_work(freeze, now),
        "for_good": freeze.sealed,
        "remedy": remedy_of(freeze, now),
    }


def fields_of(freeze: Freeze) -> dict[str, str]:
    """A freeze for a log line."""
    return {"way": str(freeze.way), "other": freeze.other, "since": rfc3339(freeze.at)}
