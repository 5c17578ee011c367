"""PURE: a live menu that is no longer the desired one: who changed it, and what to do now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from menu_worker.menu import Live
    from menu_worker.store.base import Drift

FIRST_PAUSE_S: Final = 60.0
LONGEST_PAUSE_S: Final = 6 * 3600.0
CONTESTED_AFTER: Final = 3
"""So many corrections within REMEMBERED_S, and somebody is changing it back."""

REMEMBERED_S: Final = 24 * 3600.0


class Source(StrEnum):
    """Where a drifted menu comes from, as far as it can be told."""

    CONSOLE = "console"
    """Edited in WeChat's web console: menu/get has nothing, the console's menu is live."""
    OURS = "ours"
    """A menu of our own history: an older worker, or an interrupted apply."""
    OTHER_TOOL = "other_tool"
    """Made through the API by somebody else."""
    DELETED = "deleted"
    """There is no menu at all."""


class Behaviour(StrEnum):
    """`on_drift`."""

    CORRECT = "correct"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Correction:
    """Whether to correct now. `wait_s` says when it will be allowed, `contested` is an alarm."""

    allowed: bool
    wait_s: float
    contested: bool


def source_of(live: Live, own: Collection[str]) -> Source:
    """Tell drift apart. `own`: fingerprints of menus that we wrote."""
    if live.is_console_made:
        return Source.CONSOLE
    if live.menu.is_empty:
        return Source.DELETED
    return Source.OURS if live.menu.fingerprint in own else Source.OTHER_TOOL


def correction(past: Sequence[Drift], now: float, behaviour: Behaviour) -> Correction:
    """The first correction is made at once; each further one waits twice as long as the one before.

    `past` are the corrections made so far, oldest first, by the store's clock as `now` is.
    """
    recent = [each for each in past if now - each.at < REMEMBERED_S]
    contested = len(recent) >= CONTESTED_AFTER
    if behaviour is Behaviour.REPORT:
        return Correction(allowed=False, wait_s=0.0, contested=contested)
    if not recent:
        return Correction(allowed=True, wait_s=0.0, contested=False)
    pause_s = min(FIRST_PAUSE_S * 2.0 ** (len(recent) - 1), LONGEST_PAUSE_S)
    wait_s = max(recent[-1].at + pause_s - now, 0.0)
    return Correction(allowed=wait_s == 0.0, wait_s=wait_s, contested=contested)
