"""What the parts tell about their work; the metrics listen. Synchronous, and never in the way."""

from __future__ import annotations

from typing import Literal, Protocol


class IntakeObserver(Protocol):
    """Callbacks coming in."""

    def answered(self, account: str, outcome: str, took_s: float) -> None:
        """A try was answered, or withheld, so long after it came in."""

    def forged(self, account: str, reason: str) -> None:
        """A request was refused; the account is `-` when it isn't one of ours."""

    def retried(self, account: str) -> None:
        """An event arrived again."""

    def joined(self, account: str) -> None:
        """A try waits for an attempt that another try began."""

    def duplicate(self, account: str) -> None:
        """An event arrived again when everything was said already."""

    def old_key_used(self, account: str, what: Literal["token", "aes_key"]) -> None:
        """WeChat still uses the previous one."""

    def clock_skew(self, account: str, seconds: float) -> None:
        """A request was right but for its time: the sender's clock less ours."""


class DeliveryObserver(Protocol):
    """Deliveries going out."""

    def attempted(self, target: str, outcome: str, took_s: float) -> None:
        """An attempt ended."""

    def dead(self, target: str, reason: str) -> None:
        """A delivery became a dead letter."""


class StoreObserver(Protocol):
    """The inbox itself."""

    def store_away(self, away: bool) -> None:  # noqa: FBT001 - a state, told as it is
        """Whether the store can't be reached."""

    def spooled(self, count: int) -> None:
        """So many callbacks went to the local spool."""

    def drained(self, count: int) -> None:
        """So many callbacks went from the spool to the store."""

    def lost(self, count: int) -> None:
        """So many deliveries, or all that a replaced store held (0: unknown), are gone."""

    def promise_broken(self, broken: bool) -> None:  # noqa: FBT001 - a state, told as it is
        """Whether the store's configuration can't keep what `durability` promises."""
