"""The spool's file: arrivals by id that wait for the store, each with its reply's local state.

One process has it. When it is used is in spooled, how it is drained in spool_drain; what is done
to its rows is in spool_rows, spool_endings and spool_moving.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from callback_gateway.inbox import (
    codec,
    spool_endings as endings,
    spool_moving as moving,
    spool_rows as rows,
)
from callback_gateway.inbox.records import Verdict
from zhongkong.runtime.sqlite import SqliteWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from callback_gateway.inbox.records import (
        Accepted,
        Arrival,
        Delivery,
        Joined,
        Keeping,
        Settlement,
    )
    from callback_gateway.inbox.spool_moving import Spooled
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.sqlite_file import Synchronous

_LOCAL: Final = "spool:"


def is_local(delivery: Delivery) -> bool:
    """Whether a lease was given by a spool, not by the store."""
    return delivery.lease.startswith(_LOCAL)


class Spool:
    """Each method is one transaction. All raise StoreUnavailable when the disk is in trouble."""

    def __init__(
        self, writer: SqliteWriter, *, clock: Clock, randomness: Randomness, keeping: Keeping
    ) -> None:
        """Use `open`."""
        self._writer = writer
        self._clock = clock
        self._randomness = randomness
        self._keeping = keeping
        self._ids: set[str] = set()

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        randomness: Randomness,
        keeping: Keeping,
        synchronous: Synchronous = "FULL",
    ) -> Self:
        """Open or make the file. Local leases that it holds belong to a dead process.

        Raises AlreadyRunning, StoreUnusable, StoreUnsupported, StoreUnavailable.
        """
        writer = await SqliteWriter.open(path, rows.SCHEMA, synchronous=synchronous)
        spool = cls(writer, clock=clock, randomness=randomness, keeping=keeping)
        try:
            spool._ids = set(await writer.transact(lambda file: rows.begin(file, clock.now())))
        except BaseException:
            await writer.close()
            raise
        return spool

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._ids

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        """As `Inbox.accept`, by what is known here; leases are local."""
        name, room = self._lease_name(owner), self._keeping.limit - len(self._ids)
        accepted = await self._writer.transact(
            lambda file: rows.accept(file, arrivals, name, room, self._clock.now())
        )
        self._ids.update(
            arrival.event_id
            for arrival, answer in zip(arrivals, accepted, strict=True)
            if answer.verdict is Verdict.NEW
        )
        return accepted

    async def join(self, event_id: str, *, owner: str) -> Joined | None:
        """As `Inbox.join`; None for what isn't here (any more)."""
        name = self._lease_name(owner)
        return await self._writer.transact(
            lambda file: rows.join(file, event_id, name, self._clock.now())
        )

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Prolong local leases; returns those that are void."""
        return await self._writer.transact(
            lambda file: endings.renew(file, deliveries, self._clock.now())
        )

    async def settle(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        """End local leases; returns those whose event isn't here any more."""
        return await self._writer.transact(
            lambda file: endings.settle(file, settlements, self._clock.now())
        )

    async def waiting(self, limit: int) -> list[Spooled]:
        """The first that no attempt holds up; nobody takes them over until `stay` or `remove`."""
        return await self._writer.transact(
            lambda file: moving.waiting(file, self._clock.now(), limit)
        )

    async def stay(self, ids: Sequence[str]) -> None:
        """They were not moved after all."""
        await self._writer.transact(lambda file: moving.stay(file, ids))

    async def remove(self, ids: Sequence[str]) -> None:
        """They are in the store."""
        await self._writer.transact(lambda file: moving.remove(file, ids))
        self._ids.difference_update(ids)

    async def purge(self) -> None:
        """Forget stamps whose time is over."""
        seen_before = self._clock.now() - self._keeping.stamp_s
        await self._writer.transact(lambda file: moving.forget_stamps(file, seen_before))

    async def close(self) -> None:
        """May be repeated."""
        await self._writer.close()

    def _lease_name(self, owner: str) -> str:
        nonce = self._randomness.token(codec.NONCE_BYTES)
        return _LOCAL + codec.lease_name(owner, nonce)
