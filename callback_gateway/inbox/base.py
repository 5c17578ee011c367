"""What every inbox promises; the stores beside it hold the promise.

Each method is one transaction or one script by the store's clock. All raise StoreUnavailable when
the store can't be used; unless a method says otherwise, it may then be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from callback_gateway.inbox.records import (
        Accepted,
        Arrival,
        Delivery,
        Depth,
        Joined,
        Page,
        Selection,
        Settlement,
    )


class Inbox(Protocol):
    """A store of events and deliveries. All replicas on one store see the same inbox."""

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        """Claim and store, in one atomic step each; answers in the order of the arrivals.

        A NEW event's reply delivery is leased to `owner` for REPLY_LEASE_S at once. For a
        DUPLICATE, tries are counted, and nothing of the arrival is stored; if its reply attempt's
        lease has lapsed, `owner` takes it over (counted in `cut_off`). Arrivals of one batch see
        each other. Repeating after StoreUnavailable is safe and counts a try too many.
        """

    async def join(self, account: str, event_id: str, *, owner: str) -> Joined:
        """See how far an answer is, and take over its attempt when its lease has lapsed.

        An unknown event is GIVEN_UP.
        """

    async def lease(self, wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        """Lease due deliveries, the longest due first, at most `wanted[target]` of each target.

        Notify for NOTIFY_LEASE_S. Lapsed leases count as due (and in `cut_off`), those of reply
        deliveries too, for REPLY_LEASE_S.
        """

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Prolong leases by their kind's time; returns those that are void, to be let go."""

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """End leases. Done counts under a void lease too, as long as the delivery stands.

        Everything else under a void lease has no effect. The first reply stored stays.
        """

    async def next_due_in(self, targets: Sequence[str]) -> float | None:
        """Seconds until one of them is due or a lease lapses, 0.0 when now; None for nothing."""

    async def hasten(self, target: str) -> int:
        """Make the target's waiting retries due now; returns how many."""

    async def disable(self, target: str, fingerprint: str) -> None:
        """Remember that a target asked for no more (410) under this configuration of it."""

    async def enable(self, target: str) -> bool:
        """Forget that; False when it wasn't disabled."""

    async def disabled(self) -> Mapping[str, str]:
        """Disabled targets with the fingerprints they were disabled under."""

    async def dead_letters(
        self, selection: Selection, *, after: str | None = None, limit: int = 100
    ) -> Page:
        """List dead letters, oldest first."""

    async def redrive(self, selection: Selection, *, limit: int = 1000) -> int:
        """Make dead letters due deliveries again (kind notify, marked REDRIVEN, no failures).

        Those to NOWHERE stay. Returns how many were redriven, at most `limit`.
        """

    async def drop(self, selection: Selection, *, limit: int = 1000) -> int:
        """Delete dead letters; returns how many, at most `limit`."""

    async def purge(self, *, limit: int = 1000) -> int:
        """Forget ids, stamps and dead letters whose time is over; returns how many."""

    async def depth(self) -> Depth:
        """Count; cheap enough for every scrape."""

    async def close(self) -> None:
        """Close. May be repeated."""
