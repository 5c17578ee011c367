"""Calls counted by path: in the day, in the minute, and clear_quota in the month.

Pure: the moment of a reset follows from `now` and the UTC offset at which WeChat's day begins.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from zhongkong.wechat.limits import day_of


@dataclass(slots=True)
class Counters:
    """What one account has used. Days and months roll over by themselves."""

    daily: Counter[str] = field(default_factory=Counter)
    minute: Counter[str] = field(default_factory=Counter)
    forced_today: int = 0
    clears_this_month: int = 0
    _day: str = ""
    _minute: int = -1

    def roll(self, now: float, utc_offset_h: float) -> None:
        """Forget what belongs to an earlier minute, day or month than `now`."""
        day = day_of(now, offset_s=int(utc_offset_h * 3600))
        if day != self._day:
            if day[:7] != self._day[:7]:
                self.clears_this_month = 0
            self._day = day
            self.clear_day()
        if self._minute != now // 60:
            self._minute = int(now // 60)
            self.minute.clear()

    def spend(self, path: str, daily_limit: int | None, minute_limit: int | None) -> int:
        """Count one call. 0, or the code that refuses it; a refused call isn't counted."""
        if minute_limit is not None and self.minute[path] >= minute_limit:
            return 45011
        if daily_limit is not None and self.daily[path] >= daily_limit:
            return 45009
        self.minute[path] += 1
        self.daily[path] += 1
        return 0

    def clear_day(self) -> None:
        self.daily.clear()
        self.forced_today = 0
