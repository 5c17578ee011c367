"""PURE: the document at /v1/status: this process, its store, the files, and every account.

No secret and no menu is in it. `menu-worker status` shows it as a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from menu_worker.findings import Level
from menu_worker.result_words import kind_of, sentence
from zhongkong.runtime.answers import rfc3339

if TYPE_CHECKING:
    from menu_worker.account_state import AccountState
    from menu_worker.desired import LoadedMenus
    from menu_worker.worker import Worker

_VIOLATIONS_SHOWN: Final = 20
"""Of each file; `menu-worker validate` shows all."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What is true of the whole process."""

    instance: str
    store: str
    """Its address, without credentials."""
    token_service: str
    readiness: str | None
    """Why this process is not ready; None when it is."""
    notices: tuple[str, ...] = ()
    failing_tasks: dict[str, str] = field(default_factory=dict)


def status_document(
    process: ProcessStatus, worker: Worker, now: float, monotonic: float
) -> dict[str, Any]:
    """The whole document, plain JSON values only."""
    return {
        "now": rfc3339(now),
        "instance": process.instance,
        "ready": process.readiness is None,
        "not_ready_because": process.readiness,
        "store": {"address": process.store},
        "token_service": {"address": process.token_service},
        "config": {"notices": list(process.notices)},
        "files": _files(worker.menus),
        "failing_tasks": process.failing_tasks,
        "accounts": [_account(state, monotonic) for state in worker.states],
    }


def _files(menus: LoadedMenus | None) -> dict[str, Any]:
    if menus is None:
        return {"used": 0, "refused": {}, "unmatched": []}
    return {
        "used": len(menus.desired),
        "refused": {
            str(path): [str(each) for each in violations if each.level is Level.ERROR][
                :_VIOLATIONS_SHOWN
            ]
            for path, violations in menus.refused.items()
        },
        "unmatched": list(menus.unmatched),
    }


def _account(state: AccountState, monotonic: float) -> dict[str, Any]:
    desired, result = state.desired, state.result
    return {
        "account": state.account,
        "file": None if desired is None else str(desired.file),
        "desired": None if desired is None else desired.menu.fingerprint,
        "desired_refused_because": state.trouble,
        "result": None if result is None else kind_of(result),
        "detail": None if result is None else sentence(result),
        "at": _time(state.result_at),
        "in_sync": state.in_sync,
        "verified": state.is_settled,
        "verified_at": _time(state.verified_at),
        "applied_at": _time(state.applied_at),
        "drift": None if state.drift is None else state.drift.value,
        "contested": state.contested,
        "standing_down": state.is_standing_down,
        "paused_by": state.paused_by,
        "switched_off": None if state.is_open is None else not state.is_open,
        "quota_left": dict(state.quota_left),
        "next_pass_in_s": None
        if state.due_at is None
        else max(round(state.due_at - monotonic, 1), 0.0),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
