"""What every token store can do. Each method is one transaction that runs one of `transitions`.

A store implements four primitives for slots: read, update, changes, replicas. The rules themselves
are written once, so that what the simulation proves on the in-memory store is what runs on SQLite
and Redis. Beside the slots it keeps which clients were revoked. Times are the store's own clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from token_service import transitions, verdicts
from token_service.slot import Grant, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from token_service.slot import (
        Abandonment,
        Call,
        Cause,
        Changes,
        Intent,
        Lease,
        Probe,
        Slot,
        SlotState,
        TokenRecord,
        Verdict,
    )

R = TypeVar("R")


class TokenStore(ABC):
    """Every method raises `StoreUnavailable` when the store is away; its effect is then unknown.

    All of them may be repeated: repeating one that did take effect changes nothing more, except
    `acquire`, which grants a new fence to its holder each time.
    """

    shared: bool
    """Whether other replicas may use this store at the same time."""

    @abstractmethod
    async def snapshot(self, slot: Slot) -> Snapshot:
        """Read record, intents, lease, budget and the store's time in one trip."""

    @abstractmethod
    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        """Run a transition on the slot in one transaction; it may run more than once."""

    @abstractmethod
    async def changes(self, after: str | None, *, wait_s: float) -> Changes:
        """Slots changed after a cursor; waits up to `wait_s` for the first. None: from now on."""

    @abstractmethod
    async def heartbeat(self, replica: str, *, ttl_s: float) -> frozenset[str]:
        """Register this replica as live for `ttl_s`, and name all live ones. ttl 0 signs off."""

    @abstractmethod
    async def revoke(self, client: str, at: float) -> float:
        """Void what this client was given before `at`; the later of two times stays, and is told.

        `at` is Unix seconds and may lie ahead. Idempotent, and the order of calls doesn't matter.
        """

    @abstractmethod
    async def revocations(self) -> Mapping[str, float]:
        """Client → the time before which what it was given is void. Few entries, never dropped."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and connections. Idempotent."""

    async def acquire(self, slot: Slot, holder: str, *, floor: int, ttl_s: float) -> Grant | None:
        """Ask for the lease; `floor` is the highest fence the caller knows. None: it is taken."""

        def take(state: SlotState, now: float) -> tuple[SlotState, Grant | None]:
            after, lease = transitions.acquire(state, holder, floor=floor, ttl_s=ttl_s, now=now)
            return after, Grant(lease, Snapshot(after, now)) if lease else None

        return await self._update(slot, take)

    async def renew(self, slot: Slot, lease: Lease, *, ttl_s: float) -> Lease:
        """Prolong the lease. Raises LeaseLost."""
        return await self._update(
            slot, lambda state, now: transitions.renew(state, lease, ttl_s=ttl_s, now=now)
        )

    async def release(self, slot: Slot, lease: Lease) -> None:
        """Give the lease back."""
        await self._update(slot, lambda state, _: (transitions.release(state, lease), None))

    async def begin(
        self,
        slot: Slot,
        lease: Lease,
        call: Call,
        cause: Cause,
        *,
        lands_within_s: float,
        ttl_s: float,
    ) -> Intent:
        """Check the fence, write the intent, spend budget. Raises LeaseLost."""
        return await self._update(
            slot,
            lambda state, now: transitions.begin(
                state, lease, call, cause, lands_within_s=lands_within_s, ttl_s=ttl_s, now=now
            ),
        )

    async def commit(self, slot: Slot, lease: Lease, record: TokenRecord) -> bool:
        """Store the token, idempotent under (fence, version). False: refused, drop the token."""
        return await self._update(
            slot, lambda state, now: transitions.commit(state, lease, record, now=now)
        )

    async def abandon(
        self, slot: Slot, lease: Lease, intent: Intent, ending: Abandonment, *, settle_s: float
    ) -> None:
        """Close a call that brought no token; gives the lease back."""
        await self._update(
            slot,
            lambda state, now: (
                transitions.abandon(state, lease, intent, ending, settle_s=settle_s, now=now),
                None,
            ),
        )

    async def claim_probe(self, slot: Slot, version: str, *, window_s: float) -> tuple[Probe, bool]:
        """Claim the one probe of this version in `window_s`; else the newest probe and False."""

        def claim(state: SlotState, now: float) -> tuple[SlotState, tuple[Probe, bool]]:
            after, probe, granted = verdicts.claim_probe(state, version, window_s=window_s, now=now)
            return after, (probe, granted)

        return await self._update(slot, claim)

    async def settle_probe(self, slot: Slot, probe: Probe, verdict: Verdict) -> None:
        """Record what a claimed probe found."""
        await self._update(
            slot,
            lambda state, now: (
                verdicts.settle_probe(state, probe, verdict, now=now),
                None,
            ),
        )

    async def condemn(self, slot: Slot, version: str) -> None:
        """Mark the current token dead on evidence; nothing happens when it isn't current."""
        await self._update(
            slot, lambda state, now: (verdicts.condemn(state, version, now=now), None)
        )

    async def restore(self, slot: Slot, record: TokenRecord, intents: tuple[Intent, ...]) -> bool:
        """Give a store that lost its past a record back; the highest fence wins."""
        return await self._update(
            slot, lambda state, now: transitions.restore(state, record, intents, now=now)
        )
