"""What the log says of passes: each change of state once, and passes without news at debug."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from menu_worker.result_words import kind_of, sentence
from menu_worker.results import (
    Applied,
    Busy,
    Drifted,
    Failed,
    Guarded,
    InSync,
    Paused,
    StoodDown,
    Unavailable,
    Untouched,
)
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Hashable

    from menu_worker.results import Result

_EVENTS: Final = {
    InSync: ("menu_in_sync", "info"),
    Applied: ("menu_in_sync", "info"),
    Guarded: ("plan_refused", "error"),
    Drifted: ("drift_found", "warning"),
    StoodDown: ("menu_worker_stood_down", "warning"),
    Paused: ("menu_paused", "warning"),
    Busy: ("menu_busy", "debug"),
    Failed: ("menu_not_applied", "error"),
    Unavailable: ("menu_unreachable", "error"),
    Untouched: ("menu_untouched", "error"),
}

log = get_logger()


class ResultLog:
    """Of one account. The writing itself is logged by who writes."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._last: Hashable = None
        self._was_open = True

    def tell(self, result: Result, *, is_open: bool | None) -> None:
        """Log what is new in it. `is_open`: whether the menu is switched on, as far as known."""
        event, level = _EVENTS[type(result)]
        if isinstance(result, Busy):
            # For a moment only, and no news about the menu.
            self._write("debug", event, result)
            return
        state = _state(result)
        is_news, self._last = state != self._last, state
        self._write(level if is_news else "debug", event, result)
        if isinstance(result, Applied) and result.corrected is not None:
            self._corrected(result.corrected)
        if is_open is not None and is_open != self._was_open:
            self._was_open = is_open
            self._switched(is_open=is_open)

    def _corrected(self, drifted: Drifted) -> None:
        log.warning(
            "drift_corrected",
            account=self._account,
            source=drifted.source.value,
            contested=drifted.correction.contested,
        )

    def _switched(self, *, is_open: bool) -> None:
        where = "WeChat's console"
        if is_open:
            log.info("menu_switched_on", account=self._account, where=where)
        else:
            log.warning("menu_switched_off", account=self._account, where=where)

    def _write(self, level: str, event: str, result: Result) -> None:
        told = {"account": self._account, "result": kind_of(result), "detail": sentence(result)}
        getattr(log, level)(event, **told, **_facts(result))


def _facts(result: Result) -> dict[str, Any]:
    match result:
        case Guarded():
            return {"guard": result.refused.guard.value}
        case Drifted():
            told = result.correction
            return {"source": result.source.value, "contested": told.contested}
        case StoodDown():
            winner = result.winner
            return {"winner": winner.instance, "winner_fingerprint": winner.fingerprint}
        case Failed():
            return {"restored": result.restored, "resumes": result.resumes}
        case _:
            return {}


def _state(result: Result) -> Hashable:
    """What makes it news when it differs; times and request ids in the details don't."""
    match result:
        case InSync() | Applied():
            return "in_sync"
        case Guarded():
            return result.refused.guard, result.plan.desired_fingerprint, result.refused.detail
        case Drifted():
            return result.source, result.correction.contested, result.plan.live_fingerprint
        case StoodDown():
            return result.winner
        case Failed(resumes=False):
            return "refused", result.restored
        case Failed() | Unavailable():
            return kind_of(result), result.detail.partition(" (rid ")[0]
        case _:
            return result
