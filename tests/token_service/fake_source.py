"""A stand-in for the rotation: it does what a test tells it, and notes what it was asked."""

from __future__ import annotations

import asyncio

from token_service.ports import TokenSource
from token_service.served import (
    NoLiveToken,
    Rejection,
    RejectionOutcome,
    Served,
    SlotStatus,
    TooSoon,
)
from token_service.slot import Slot, version_of

NOW = 1_800_000_000.0
VALUE = "92_a-token-that-nobody-may-see-in-a-log_" + "x" * 96


def served(slot: Slot, value: str = VALUE, *, lives_s: float = 7200.0) -> Served:
    version = version_of(slot.appid, slot.kind, value)
    return Served(slot, value, version, issued_at=NOW, expires_at=NOW + lives_s)


class FakeSource(TokenSource):
    """`live` is what it serves, `trouble` what it raises instead, `hold` makes deeds wait."""

    def __init__(self) -> None:
        self.live: dict[Slot, Served] = {}
        self.trouble: NoLiveToken | TooSoon | Exception | None = None
        self.outcome = RejectionOutcome.CONFIRMED_VALID
        self.time = NOW
        self.hold: asyncio.Event | None = None
        self.finished = 0
        self.asked: list[tuple[object, ...]] = []

    def peek(self, slot: Slot) -> Served | None:
        return self.live.get(slot)

    def now(self) -> float:
        return self.time

    async def get(self, slot: Slot, *, wait_s: float, min_ttl_s: float = 0) -> Served:
        self.asked.append(("get", slot, wait_s, min_ttl_s))
        await self._held()
        return self.live[slot]

    async def reject(self, slot: Slot, version: str, *, evidence: bool = False) -> Rejection:
        self.asked.append(("reject", slot, version, evidence))
        await self._held()
        return Rejection(self.outcome, self.live[slot])

    async def rotate(self, slot: Slot, *, reason: str) -> Served:
        self.asked.append(("rotate", slot, reason))
        await self._held()
        return self.live[slot]

    def statuses(self) -> list[SlotStatus]:
        return []

    async def _held(self) -> None:
        if self.hold is not None:
            await self.hold.wait()
        self.finished += 1
        if self.trouble is not None:
            raise self.trouble
