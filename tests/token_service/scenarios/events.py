"""What is seen on a stage: by its readers, and by the observer of its rotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.served import Alarm, RejectionOutcome
    from token_service.slot import Call, Verdict


@dataclass(frozen=True, slots=True)
class Try:
    """A token call as its caller saw it; it may never have left."""

    at: float
    account: str
    call: Call
    outcome: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one replica served at one moment, and what the ledger says of it."""

    at: float
    replica: str
    version: str | None
    alive: bool


class Events:
    """An `Observer` that remembers."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.tries: list[Try] = []
        self.probes: list[tuple[float, Verdict]] = []
        self.rejections: list[RejectionOutcome] = []
        self.refused_commits = 0
        self.crashes: list[str] = []
        self._now = now

    def tries_since(self, at: float) -> list[Try]:
        return [each for each in self.tries if each.at >= at]

    def call_finished(self, account: str, call: Call, outcome: str, took_s: float) -> None:
        self.tries.append(Try(self._now(), account, call, outcome))

    def probe_finished(self, account: str, verdict: Verdict) -> None:
        self.probes.append((self._now(), verdict))

    def rejection_answered(self, account: str, outcome: RejectionOutcome) -> None:
        self.rejections.append(outcome)

    def commit_refused(self, account: str) -> None:
        self.refused_commits += 1

    def alarm_changed(self, account: str, alarm: Alarm, *, rings: bool) -> None:
        """Scenes ask the status instead."""

    def store_reachable(self, *, reachable: bool) -> None:
        """Scenes ask the rotator instead."""

    def turn_crashed(self, slot: str, error: Exception) -> None:
        self.crashes.append(f"{slot}: {error!r}")
