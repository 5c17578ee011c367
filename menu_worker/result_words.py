"""PURE: what a pass came to, in words: one name, one sentence, one document, one exit code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from menu_worker.drift import Source
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
from menu_worker.steps import step_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from menu_worker.results import Result
    from menu_worker.steps import Step

DONE: Final = 0
FAILED: Final = 1
CHANGES: Final = 2
REFUSED: Final = 3
_SEVERITY: Final = (DONE, CHANGES, REFUSED, FAILED)

SWITCHED_OFF: Final = "the menu is switched off in WeChat's console, so nobody sees it"
STEP_NAMES: Final = ("create", "addconditional", "delconditional", "delete")
KINDS: Final = {
    InSync: "in_sync",
    Applied: "applied",
    Guarded: "guarded",
    Drifted: "drifted",
    StoodDown: "stood_down",
    Paused: "paused",
    Busy: "busy",
    Failed: "failed",
    Unavailable: "unavailable",
    Untouched: "untouched",
}
SOURCES: Final = {
    Source.CONSOLE: "edited in WeChat's web console",
    Source.OURS: "an earlier menu of ours is live",
    Source.OTHER_TOOL: "changed by another tool",
    Source.DELETED: "deleted",
}


def kind_of(result: Result) -> str:
    """The result's name in metrics, logs and documents."""
    return KINDS[type(result)]


def step_name(step: Step) -> str:
    """The call that a step makes."""
    return str(step_document(step)["step"])


def sentence(result: Result) -> str:  # noqa: C901, PLR0911 - one for each
    """What happened, and what to do next where something is to be done."""
    match result:
        case InSync(is_open=False):
            return f"the live menu is the desired one; but {SWITCHED_OFF}"
        case InSync():
            return "the live menu is the desired one"
        case Applied():
            off = "" if result.is_open else f"; but {SWITCHED_OFF}"
            return f"applied and verified as revision {result.revision}{off}"
        case Guarded():
            return f"refused: {result.refused.detail}"
        case Drifted():
            return f"drifted ({SOURCES[result.source]}), {_not_corrected(result)}"
        case StoodDown():
            at = datetime.fromtimestamp(int(result.winner.claimed_at), UTC)
            return (
                f"stands down: {result.winner.instance} took another menu up at {at:%F %T} UTC; "
                "change the file here, or `apply --force` it, to take this one up anew"
            )
        case Paused():
            return f"paused by {result.by}; `menu-worker resume` lets it be written again"
        case Busy():
            return "another worker is writing at this moment"
        case Failed():
            return (
                f"{result.detail}; what was live is live again"
                if result.restored
                else result.detail
            )
        case Unavailable():
            return result.detail
        case Untouched():
            return f"nothing is written: {result.detail}"


def document(account: str, result: Result) -> dict[str, Any]:
    """For `--json`, the status and the answer to a reconcile."""
    return {
        "account": account,
        "result": kind_of(result),
        "detail": sentence(result),
        "revision": result.revision if isinstance(result, Applied) else None,
    }


def exit_code(result: Result) -> int:
    """Of one account's apply. A pause refuses as a guard does: somebody said so on purpose."""
    match result:
        case InSync() | Applied():
            return DONE
        case Guarded() | Paused():
            return REFUSED
        case _:
            return FAILED


def worst(codes: Iterable[int]) -> int:
    """Over several accounts an error outranks a refusal, and that outranks changes."""
    return max(codes, key=_SEVERITY.index, default=DONE)


def calls_text(steps: Sequence[Step]) -> str:
    """`create, 2 × addconditional`."""
    counts = dict.fromkeys(STEP_NAMES, 0)
    for step in steps:
        counts[step_name(step)] += 1
    return ", ".join(
        name if count == 1 else f"{count} × {name}" for name, count in counts.items() if count
    )


def _not_corrected(drifted: Drifted) -> str:
    wait_s = drifted.correction.wait_s
    how = f"corrected in {wait_s:.0f} s at the earliest" if wait_s else "reported only (`on_drift`)"
    if drifted.correction.contested:
        return f"{how}; somebody keeps changing it back: find out who, or pause the account"
    return how
