"""What the worker knows of one account: its desired menu, how the last passes ended, and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from menu_worker.result_words import kind_of, step_name
from menu_worker.results import (
    Applied,
    Drifted,
    Guarded,
    InSync,
    Paused,
    StoodDown,
    Untouched,
    is_good,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from menu_worker.desired import Desired
    from menu_worker.drift import Source
    from menu_worker.results import Result


@dataclass(slots=True)
class AccountState:
    """Kept by the account's worker; status and metrics read it."""

    account: str
    desired: Desired | None = None
    """The last one that could be used."""
    trouble: str | None = None
    """Why the file as it stands now can't be used, or that it is gone."""
    result: Result | None = None
    result_at: float | None = None
    in_sync: bool | None = None
    """Whether live equalled the desired menu at the last reading; None: not known."""
    drift: Source | None = None
    contested: bool = False
    paused_by: str | None = None
    is_open: bool | None = None
    verified: str | None = None
    """Fingerprint of the menu that was verified live last, here or, at the start, by the store."""
    verified_at: float | None = None
    applied_at: float | None = None
    quota_left: Mapping[str, int] = field(default_factory=dict)
    passes: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    corrections: Counter[Source] = field(default_factory=Counter)
    failures: int = 0
    """Passes in a row that did not come to an end of their own."""
    due_at: float | None = None
    """By the monotonic clock."""

    @property
    def is_settled(self) -> bool:
        """Whether the desired menu, as its file is now, was verified live."""
        return (
            self.trouble is None
            and self.desired is not None
            and self.verified == self.desired.menu.fingerprint
        )

    @property
    def is_standing_down(self) -> bool:
        return isinstance(self.result, StoodDown)

    def note(self, result: Result, now: float, *, thorough: bool) -> None:
        """Take in how a pass ended. `thorough`: it asked whether the menu is switched on."""
        self.result, self.result_at = result, now
        self.passes[kind_of(result)] += 1
        self.in_sync = _in_sync(result, self.in_sync)
        self.drift = result.source if isinstance(result, Drifted) else None
        if isinstance(result, Applied | InSync) and self.desired is not None:
            self.verified, self.verified_at = self.desired.menu.fingerprint, now
            if thorough or isinstance(result, Applied):
                self.is_open = result.is_open
        if isinstance(result, Applied):
            self.applied_at = now
            self.steps.update(map(step_name, result.plan.steps))
            if result.corrected is not None:
                self.corrections[result.corrected.source] += 1


def _in_sync(result: Result, before: bool | None) -> bool | None:  # noqa: FBT001 - a state
    if is_good(result):
        return True
    match result:
        case Guarded() | Drifted() | Paused():
            return False
        case StoodDown():
            return None
        case Untouched():
            return result.matches
        case _:
            return before
