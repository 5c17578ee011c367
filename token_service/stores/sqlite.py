"""The token store in one SQLite file, for one replica. The file's writer is in zhongkong.runtime.

The store's clock is the process's own. Whoever opens the file is alone on it, so every lease that
it finds belongs to a dead process and is dropped; intents stay, for their calls may have landed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

from token_service.freeze import is_news
from token_service.slot import Changes, SlotState, Snapshot
from token_service.stores.codec import (
    UnreadableRecord,
    decode,
    decode_freeze,
    encode,
    encode_freeze,
    known_slot,
    slot_of,
    without_lease,
)
from token_service.stores.movable import MovableTokenStore
from token_service.stores.presence import Presence
from zhongkong.runtime.sqlite import SqliteWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from token_service.freeze import Freeze
    from token_service.slot import Slot
    from token_service.stores.codec import Sealer
    from token_service.stores.movable import FreezeRule
    from zhongkong.runtime.clock import Clock, Randomness

R = TypeVar("R")

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS meta (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        generation TEXT NOT NULL,
        born_at REAL NOT NULL
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS slots (
        appid TEXT NOT NULL,
        kind TEXT NOT NULL,
        mode TEXT NOT NULL,
        doc BLOB NOT NULL,
        leased INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (appid, kind, mode)
    ) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX IF NOT EXISTS slots_by_sequence ON slots (sequence)",
    """CREATE TABLE IF NOT EXISTS revocations (
        client TEXT NOT NULL PRIMARY KEY,
        at REAL NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS freeze (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        doc BLOB NOT NULL
    ) STRICT""",
)


class SqliteTokenStore(MovableTokenStore):
    """Every method is one transaction of the file's one writer; those that wait share an fsync."""

    shared = False

    def __init__(
        self, writer: SqliteWriter, *, clock: Clock, randomness: Randomness, sealer: Sealer
    ) -> None:
        """Use `open`."""
        self._writer = writer
        self._clock = clock
        self._randomness = randomness
        self._sealer = sealer
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._presence = Presence()

    @classmethod
    async def open(
        cls, path: Path, *, clock: Clock, randomness: Randomness, sealer: Sealer
    ) -> Self:
        """Open or make the file. Raises AlreadyRunning, StoreUnusable, StoreUnavailable."""
        writer = await SqliteWriter.open(path, _SCHEMA)
        try:
            await writer.transact(_drop_leases)
        except BaseException:
            await writer.close()
            raise
        return cls(writer, clock=clock, randomness=randomness, sealer=sealer)

    async def snapshot(self, slot: Slot) -> Snapshot:
        def read(connection: sqlite3.Connection) -> Snapshot:
            return Snapshot(self._load(connection, slot), self._clock.now())

        return await self._writer.transact(read)

    async def _update(
        self, slot: Slot, transition: Callable[[SlotState, float], tuple[SlotState, R]]
    ) -> R:
        def run(connection: sqlite3.Connection) -> R:
            before = self._load(connection, slot)
            after, result = transition(before, self._clock.now())
            if after != before:
                _save(connection, slot, encode(after, self._sealer), leased=after.lease is not None)
                # A reader that this wakes before the commit queues behind it in the same thread.
                self._loop.call_soon_threadsafe(self._announce)
            return result

        return await self._writer.transact(run)

    async def changes(self, after: str | None, *, wait_s: float) -> Changes:
        changed = self._changed
        seen = await self._changes_after(after)
        if after is None or seen.slots or seen.reset or wait_s <= 0:
            return seen
        try:
            async with asyncio.timeout(wait_s):
                await changed.wait()
        except TimeoutError:
            return seen
        return await self._changes_after(after)

    async def heartbeat(self, replica: str, *, ttl_s: float) -> frozenset[str]:
        return self._presence.beat(replica, ttl_s=ttl_s, now=self._clock.now())

    async def revoke(self, client: str, at: float) -> float:
        def write(connection: sqlite3.Connection) -> float:
            (kept,) = connection.execute(
                "INSERT INTO revocations VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET at = max(at, excluded.at) RETURNING at",
                (client, at),
            ).fetchone()
            return float(kept)

        return await self._writer.transact(write)

    async def revocations(self) -> Mapping[str, float]:
        def read(connection: sqlite3.Connection) -> dict[str, float]:
            return dict(connection.execute("SELECT client, at FROM revocations").fetchall())

        return await self._writer.transact(read)

    async def slots(self) -> frozenset[Slot]:
        def read(connection: sqlite3.Connection) -> frozenset[Slot]:
            rows = connection.execute("SELECT appid, kind, mode FROM slots")
            return frozenset(known_slot("/".join(row)) for row in rows)

        return await self._writer.transact(read)

    async def freeze_read(self) -> tuple[Freeze | None, float]:
        return await self._writer.transact(_load_freeze), self._clock.now()

    async def _update_freeze(self, rule: FreezeRule) -> bool:
        def run(connection: sqlite3.Connection) -> bool:
            before = _load_freeze(connection)
            after, done = rule(before, self._clock.now())
            if after != before:
                _save_freeze(connection, after)
            if is_news(before, after):
                _touch_all(connection)
                self._loop.call_soon_threadsafe(self._announce)
            return done

        return await self._writer.transact(run)

    async def close(self) -> None:
        await self._writer.close()

    async def _changes_after(self, after: str | None) -> Changes:
        def read(connection: sqlite3.Connection) -> Changes:
            generation, _ = self._life(connection)
            (top,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM slots").fetchone()
            cursor = f"{generation}:{top}"
            if after is None or after == cursor:
                return Changes(cursor, frozenset())
            known, _, sequence = after.partition(":")
            if known != generation or int(sequence) > top:
                return Changes(cursor, frozenset(), reset=True)
            return Changes(cursor, _slots_after(connection, int(sequence)))

        return await self._writer.transact(read)

    def _load(self, connection: sqlite3.Connection, slot: Slot) -> SlotState:
        row = connection.execute(
            "SELECT doc FROM slots WHERE appid = ? AND kind = ? AND mode = ?",
            (slot.appid, slot.kind, slot.mode),
        ).fetchone()
        if row is None:
            state = SlotState(*self._life(connection))
        else:
            state = decode(row[0], self._sealer, slot)
        freeze = _load_freeze(connection)
        return state if freeze is None else replace(state, frozen=freeze)

    def _life(self, connection: sqlite3.Connection) -> tuple[str, float]:
        """Generation and birth of this file, which may have been replaced by an empty one."""
        row = connection.execute("SELECT generation, born_at FROM meta").fetchone()
        if row is None:
            row = (self._randomness.token(8), self._clock.now())
            connection.execute("INSERT INTO meta VALUES (1, ?, ?)", row)
        generation, born_at = row
        return generation, born_at

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _save(connection: sqlite3.Connection, slot: Slot, document: bytes, *, leased: bool) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO slots VALUES "
        "(?, ?, ?, ?, ?, (SELECT coalesce(max(sequence), 0) + 1 FROM slots))",
        (slot.appid, slot.kind, slot.mode, document, leased),
    )


def _load_freeze(connection: sqlite3.Connection) -> Freeze | None:
    row = connection.execute("SELECT doc FROM freeze").fetchone()
    return None if row is None else decode_freeze(row[0])


def _save_freeze(connection: sqlite3.Connection, freeze: Freeze | None) -> None:
    if freeze is None:
        connection.execute("DELETE FROM freeze")
        return
    connection.execute("INSERT OR REPLACE INTO freeze VALUES (1, ?)", (encode_freeze(freeze),))


def _touch_all(connection: sqlite3.Connection) -> None:
    """Make every slot a changed one: the new numbers begin above all there are."""
    connection.execute("UPDATE slots SET sequence = sequence + (SELECT max(sequence) FROM slots)")


def _slots_after(connection: sqlite3.Connection, sequence: int) -> frozenset[Slot]:
    rows = connection.execute("SELECT appid, kind, mode FROM slots WHERE sequence > ?", (sequence,))
    return frozenset(slot for row in rows if (slot := slot_of(*row)) is not None)


def _drop_leases(connection: sqlite3.Connection) -> None:
    """Needs no key; a document that can't be read is left for whoever asks for its slot."""
    rows = connection.execute("SELECT appid, kind, mode, doc FROM slots WHERE leased").fetchall()
    for appid, kind, mode, document in rows:
        slot = slot_of(appid, kind, mode)
        if slot is None:
            continue
        try:
            free = without_lease(document, slot)
        except UnreadableRecord:
            continue
        _save(connection, slot, free, leased=False)
