"""A clock that only the test moves."""

from __future__ import annotations

import asyncio

START = 1_760_000_000.0
"""2025-10-09 08:53:20 UTC: well inside a day, in UTC and in WeChat's UTC+8."""


class ManualClock:
    """`now` stands still until `advance`; a sleep passes at once, in monotonic time alone."""

    def __init__(self) -> None:
        self._now = START
        self._monotonic = 0.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self._monotonic += seconds
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._monotonic += seconds
