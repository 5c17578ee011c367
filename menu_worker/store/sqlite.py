"""The menu store in one SQLite file, for the workers and commands of one machine.

The store's clock is the process's own. The file isn't held by one process: a command may look and
write while a worker runs. Statements are in sqlite_rights and sqlite_records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from menu_worker.store import (
    codec,
    sqlite_records as records,
    sqlite_rights as rights,
    sqlite_schema as schema,
)
from menu_worker.store.remembered import Remembered
from zhongkong.runtime.sqlite import SqliteWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from menu_worker.store.base import Drift, Lease, Outcome, Revision, Standing, Verified
    from zhongkong.runtime.clock import Clock


class SqliteMenuStore:
    """Every method is one transaction, which other processes on the file wait for."""

    def __init__(self, writer: SqliteWriter, *, clock: Clock) -> None:
        """Use `open`."""
        self._writer = writer
        self._clock = clock
        self._remembered = Remembered()

    @classmethod
    async def open(cls, path: Path, *, clock: Clock) -> Self:
        """Open or make the file. Raises StoreUnusable, StoreUnsupported, StoreUnavailable."""
        writer = await SqliteWriter.open(path, schema.SCHEMA, exclusive=False)
        try:
            await writer.transact(lambda file: schema.check_format(file, path))
        except BaseException:
            await writer.close()
            raise
        return cls(writer, clock=clock)

    async def claim(self, account: str, instance: str, fingerprint: str) -> Standing:
        known = self._remembered.claimed_at(account, instance, fingerprint)
        standing = await self._writer.transact(
            lambda file: rights.claim(
                file, account, instance, fingerprint, known, self._clock.now()
            )
        )
        return self._remembered.claimed(account, instance, standing)

    async def standing(self, account: str) -> Standing:
        return await self._writer.transact(
            lambda file: rights.standing(file, account, self._clock.now())
        )

    async def acquire(self, account: str, instance: str, ttl_s: float) -> Lease | None:
        return await self._writer.transact(
            lambda file: rights.acquire(file, account, instance, ttl_s, self._clock.now())
        )

    async def holds(self, lease: Lease, ttl_s: float) -> bool:
        return await self._writer.transact(
            lambda file: rights.holds(file, lease, ttl_s, self._clock.now())
        )

    async def release(self, lease: Lease) -> None:
        await self._writer.transact(lambda file: rights.release(file, lease))

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
        """Record a write before it starts. Raises DocumentTooLarge, too, and writes nothing."""
        record = codec.encode_record(
            account,
            actor=actor,
            reason=reason,
            before=before,
            after=after,
            fingerprint=fingerprint,
        )
        floor = self._remembered.last_revision(account)
        number = await self._writer.transact(
            lambda file: records.begin(file, account, record, floor, self._clock.now())
        )
        return self._remembered.begun(account, number)

    async def finish(self, account: str, revision: int, outcome: Outcome, detail: str = "") -> None:
        await self._writer.transact(
            lambda file: records.finish(file, account, revision, outcome, detail)
        )

    async def history(self, account: str, *, limit: int = 50) -> Sequence[Revision]:
        return await self._writer.transact(lambda file: records.history(file, account, limit))

    async def revision(self, account: str, revision: int) -> Revision | None:
        return await self._writer.transact(lambda file: records.revision(file, account, revision))

    async def set_verified(self, account: str, fingerprint: str, menu: Mapping[str, Any]) -> None:
        """Remember what was verified live. Raises DocumentTooLarge, too, and writes nothing."""
        document = codec.encode_document(menu, account, "the verified menu")
        record = codec.encode_verified(fingerprint, document)
        await self._writer.transact(
            lambda file: records.set_verified(file, account, record, self._clock.now())
        )

    async def verified(self, account: str) -> Verified | None:
        return await self._writer.transact(lambda file: records.verified(file, account))

    async def spend(self, account: str, call: str, limit: int) -> bool:
        return await self._writer.transact(
            lambda file: records.spend(file, account, call, limit, self._clock.now())
        )

    async def spent(self, account: str) -> Mapping[str, int]:
        return await self._writer.transact(
            lambda file: records.spent(file, account, self._clock.now())
        )

    async def record_drift(self, account: str, fingerprint: str) -> None:
        await self._writer.transact(
            lambda file: records.record_drift(file, account, fingerprint, self._clock.now())
        )

    async def drifts(self, account: str) -> tuple[Sequence[Drift], float]:
        return await self._writer.transact(
            lambda file: records.drifts(file, account, self._clock.now())
        )

    async def pause(self, account: str, *, paused: bool, by: str) -> None:
        await self._writer.transact(lambda file: rights.pause(file, account, paused=paused, by=by))

    async def paused(self, account: str) -> str | None:
        return await self._writer.transact(lambda file: rights.paused(file, account))

    async def close(self) -> None:
        await self._writer.close()
