"""Where the rotation tells what happened; metrics listen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from token_service.served import Alarm, RejectionOutcome
    from token_service.slot import Call, Verdict


class Observer(Protocol):
    """Called on the event loop; must return at once and never raise."""

    def call_finished(self, account: str, call: Call, outcome: str, took_s: float) -> None:
        """An upstream token call ended; `outcome` is one of `outcome_name`'s."""

    def probe_finished(self, account: str, verdict: Verdict) -> None:
        """A probe ended."""

    def rejection_answered(self, account: str, outcome: RejectionOutcome) -> None:
        """A report of a dead token was answered."""

    def commit_refused(self, account: str) -> None:
        """A late write met a newer fence."""

    def alarm_changed(self, account: str, alarm: Alarm, *, rings: bool) -> None:
        """An alarm began or ended."""

    def store_reachable(self, *, reachable: bool) -> None:
        """The store was lost or found again."""

    def turn_crashed(self, slot: str, error: Exception) -> None:
        """A defect of ours ended a turn; the slot goes on a little later."""
