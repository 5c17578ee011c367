"""The inbox in one SQLite file, for one replica. The file's writer is in zhongkong.runtime.

The store's clock is the process's own. What the methods do is in the modules sqlite_arrivals,
sqlite_deliveries, sqlite_letters and sqlite_upkeep; the tables are in sqlite_schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from callback_gateway.inbox import (
    codec,
    sqlite_arrivals as arriving,
    sqlite_deliveries as delivering,
    sqlite_letters as letters,
    sqlite_schema as schema,
    sqlite_upkeep as upkeep,
)
from zhongkong.runtime.sqlite import SqliteWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from callback_gateway.inbox.records import (
        Accepted,
        Arrival,
        Delivery,
        Depth,
        Joined,
        Keeping,
        Page,
        Selection,
        Settlement,
    )
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.sqlite_file import Synchronous


class SqliteInbox:
    """Every method is one transaction of the file's one writer; those that wait share an fsync."""

    def __init__(
        self, writer: SqliteWriter, *, clock: Clock, randomness: Randomness, keeping: Keeping
    ) -> None:
        """Use `open`."""
        self._writer = writer
        self._clock = clock
        self._randomness = randomness
        self._keeping = keeping

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        randomness: Randomness,
        keeping: Keeping,
        synchronous: Synchronous,
        exclusive: bool = True,
    ) -> Self:
        """Open or make the file. `synchronous` is FULL for `durability: disk`, else NORMAL.

        Whoever opens it exclusively is alone on it: the leases that it finds belong to a dead
        process, and what was leased is due at once. Raises AlreadyRunning, StoreUnusable,
        StoreUnsupported, StoreUnavailable.
        """
        writer = await SqliteWriter.open(
            path, schema.SCHEMA, exclusive=exclusive, synchronous=synchronous
        )
        try:
            await writer.transact(lambda connection: schema.check_format(connection, path))
            if exclusive:
                await writer.transact(
                    lambda connection: schema.void_leases(connection, clock.now())
                )
        except BaseException:
            await writer.close()
            raise
        return cls(writer, clock=clock, randomness=randomness, keeping=keeping)

    async def accept(self, arrivals: Sequence[Arrival], *, owner: str) -> list[Accepted]:
        name, limit = self._lease_name(owner), self._keeping.limit
        return await self._writer.transact(
            lambda file: arriving.accept(file, arrivals, name, limit, self._clock.now())
        )

    async def join(self, account: str, event_id: str, *, owner: str) -> Joined:
        name = self._lease_name(owner)
        return await self._writer.transact(
            lambda file: arriving.join(file, account, event_id, name, self._clock.now())
        )

    async def lease(self, wanted: Mapping[str, int], *, owner: str) -> list[Delivery]:
        name = self._lease_name(owner)
        return await self._writer.transact(
            lambda file: delivering.lease(file, wanted, name, self._clock.now())
        )

    async def renew(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        return await self._writer.transact(
            lambda file: delivering.renew(file, deliveries, self._clock.now())
        )

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        await self._writer.transact(
            lambda file: delivering.settle(file, settlements, self._clock.now())
        )

    async def next_due_in(self, targets: Sequence[str]) -> float | None:
        return await self._writer.transact(
            lambda file: delivering.next_due_in(file, targets, self._clock.now())
        )

    async def hasten(self, target: str) -> int:
        return await self._writer.transact(
            lambda file: delivering.hasten(file, target, self._clock.now())
        )

    async def disable(self, target: str, fingerprint: str) -> None:
        await self._writer.transact(lambda file: upkeep.disable(file, target, fingerprint))

    async def enable(self, target: str) -> bool:
        return await self._writer.transact(lambda file: upkeep.enable(file, target))

    async def disabled(self) -> Mapping[str, str]:
        return await self._writer.transact(upkeep.disabled)

    async def dead_letters(
        self, selection: Selection, *, after: str | None = None, limit: int = 100
    ) -> Page:
        """List dead letters, oldest first. Raises CursorRefused for what is no page's `next`."""
        begin = codec.decode_cursor(after)
        return await self._writer.transact(lambda file: letters.page(file, selection, begin, limit))

    async def redrive(self, selection: Selection, *, limit: int = 1000) -> int:
        return await self._writer.transact(
            lambda file: letters.redrive(file, selection, limit, self._clock.now())
        )

    async def drop(self, selection: Selection, *, limit: int = 1000) -> int:
        return await self._writer.transact(lambda file: letters.drop(file, selection, limit))

    async def purge(self, *, limit: int = 1000) -> int:
        return await self._writer.transact(
            lambda file: upkeep.purge(file, self._keeping, limit, self._clock.now())
        )

    async def depth(self) -> Depth:
        return await self._writer.transact(
            lambda file: upkeep.depth(file, self._keeping.limit, self._clock.now())
        )

    async def close(self) -> None:
        await self._writer.close()

    def _lease_name(self, owner: str) -> str:
        return codec.lease_name(owner, self._randomness.token(codec.NONCE_BYTES))
