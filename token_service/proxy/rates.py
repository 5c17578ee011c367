"""PURE: how many calls a client may make: a bucket of permits that fills with time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds, of which `burst` may come at once."""

    calls: int
    per_s: float
    burst: int

    def __str__(self) -> str:
        return f"{self.calls} calls in {self.per_s:g} s"


class Bucket:
    """One client's permits. `now` is monotonic seconds."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._left = float(rate.burst)
        self._at = now

    def take(self, now: float) -> float:
        """Take a permit: 0.0 when there was one, else the seconds until there will be."""
        gained = max(0.0, now - self._at) * self.rate.calls / self.rate.per_s
        self._left = min(float(self.rate.burst), self._left + gained)
        self._at = max(now, self._at)
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) * self.rate.per_s / self.rate.calls
