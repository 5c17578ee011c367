"""Who waits in this process for an answer, and how it reaches them. Nothing here is stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

WAITING_LIMIT: Final = 20_000
"""Tries that may wait here at once; further ones are answered without waiting."""


class TooManyWait(Exception):
    """Nobody else can be let wait."""


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """`reply` as the inbox keeps it (b"" for nothing to say); None when there will be none."""

    reply: bytes | None = field(repr=False)


class ReplyBoard:
    """Waiting tries by event. Used on the loop's thread alone."""

    def __init__(self, limit: int = WAITING_LIMIT) -> None:
        self._limit = limit
        self._waiting: dict[str, list[asyncio.Future[ReplyOutcome]]] = {}
        self._count = 0

    @property
    def count(self) -> int:
        """How many wait."""
        return self._count

    def expect(self, event_id: str) -> asyncio.Future[ReplyOutcome]:
        """A future for the outcome of the attempt. `leave` it when it isn't awaited any more.

        Raises TooManyWait.
        """
        if self._count >= self._limit:
            raise TooManyWait
        future: asyncio.Future[ReplyOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(event_id, []).append(future)
        self._count += 1
        return future

    def leave(self, event_id: str, future: asyncio.Future[ReplyOutcome]) -> None:
        """Stop waiting. May be repeated, and may follow the outcome."""
        futures = self._waiting.get(event_id, [])
        if future in futures:
            futures.remove(future)
            self._count -= 1
        if not futures:
            self._waiting.pop(event_id, None)

    def post(self, event_id: str, outcome: ReplyOutcome) -> None:
        """Tell everybody who waits here."""
        for future in self._waiting.pop(event_id, []):
            self._count -= 1
            if not future.done():
                future.set_result(outcome)
