"""PURE: fences that go on growing even over a store that was emptied."""

from __future__ import annotations

from math import floor

_PER_SECOND = 1000
"""Fewer grants than that are made in a second, so no fence is ahead of the time."""


def next_fence(last: int, now: float) -> int:
    """The next one: higher than the last, and than any that was granted before `now`.

    `last` is 0 where nothing is known; the redis_scripts say the same in Lua.
    """
    return max(last + 1, floor(now * _PER_SECOND))
