"""What every menu store keeps and promises, in plain values; the stores beside it hold the promise.

Each method is one transaction or one script by the store's clock. All raise StoreUnavailable when
the store can't be used; unless a method says otherwise, it may then be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLAIMS_KEPT: Final = 50
"""Of each account; the oldest go first, the latest never."""

DRIFTS_KEPT: Final = 50
"""Corrections remembered of each account."""

REVISIONS_KEPT: Final = 200
"""Of each account; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One instance's wish to decide an account's menu, since the moment it took that menu up."""

    instance: str
    fingerprint: str
    claimed_at: float


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one account's menu until it lapses. A higher fence is a later grant."""

    account: str
    instance: str
    fence: int


class Outcome(StrEnum):
    """How a write ended."""

    STARTED = "started"
    """Begun, and not heard of again: its process died."""
    VERIFIED = "verified"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Revision:
    """One write: what was live before, what was desired. Documents as in the desired file."""

    id: int
    account: str
    at: float
    actor: str
    """`run`, `apply` or `rollback`, and who."""
    reason: str
    """What led to it: `changed`, `drift`, `forced` …"""
    before: Mapping[str, Any] = field(repr=False)
    after: Mapping[str, Any] = field(repr=False)
    fingerprint: str
    """Of `after`."""
    outcome: Outcome = Outcome.STARTED
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """The menu that was last read back and found equal to the desired one."""

    fingerprint: str
    menu: Mapping[str, Any] = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True)
class Drift:
    """One correction of a menu that somebody else had changed."""

    at: float
    fingerprint: str
    """Of what was found live."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All claims on an account and the store's time."""

    claims: tuple[Claim, ...]
    now: float


class MenuStore(Protocol):
    """All workers on one store see the same claims, leases and history."""

    async def claim(self, account: str, instance: str, fingerprint: str) -> Standing:
        """Put in a claim: with the fingerprint it had before, its time stays; else it is now.

        Claims outlive their instances, so that a crash-looping one never becomes the latest.
        """

    async def standing(self, account: str) -> Standing:
        """See the claims."""

    async def acquire(self, account: str, instance: str, ttl_s: float) -> Lease | None:
        """The write lease; None while another instance holds it. Asking again renews one's own."""

    async def holds(self, lease: Lease, ttl_s: float) -> bool:
        """Whether the lease is still the latest and alive; it is then prolonged."""

    async def release(self, lease: Lease) -> None:
        """Give it back; nothing happens when it was lost."""

    async def begin(
        self,
        account: str,
        *,
        actor: str,
        reason: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        fingerprint: str,
    ) -> int:
        """Record a write before it starts; returns its id. Repeated, it would be there twice."""

    async def finish(self, account: str, revision: int, outcome: Outcome, detail: str = "") -> None:
        """Record how it ended."""

    async def history(self, account: str, *, limit: int = 50) -> Sequence[Revision]:
        """The latest revisions, the newest first."""

    async def revision(self, account: str, revision: int) -> Revision | None:
        """One revision."""

    async def set_verified(self, account: str, fingerprint: str, menu: Mapping[str, Any]) -> None:
        """Remember what was verified live, now."""

    async def verified(self, account: str) -> Verified | None:
        """What was verified last."""

    async def spend(self, account: str, call: str, limit: int) -> bool:
        """Count one call of today (UTC+8); False, and not counted, when `limit` is reached."""

    async def spent(self, account: str) -> Mapping[str, int]:
        """Calls counted today, by name."""

    async def record_drift(self, account: str, fingerprint: str) -> None:
        """Remember a correction, now; the last 50 are kept."""

    async def drifts(self, account: str) -> tuple[Sequence[Drift], float]:
        """Corrections remembered, oldest first, and the store's time."""

    async def pause(self, account: str, *, paused: bool, by: str) -> None:
        """Switch writing off or on, for every worker."""

    async def paused(self, account: str) -> str | None:
        """Who paused it; None when nobody did."""

    async def close(self) -> None:
        """Close. May be repeated."""
