"""How long answers took, in little memory: counts in steps of two percent. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

_STEP: Final = math.log(1.02)
_LEAST_S: Final = 1e-5


@dataclass(slots=True)
class Spread:
    """Durations in seconds; quantiles are right to two percent, `most` exactly."""

    counts: Counter[int] = field(default_factory=Counter)
    most: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[int(math.log(max(seconds, _LEAST_S) / _LEAST_S) / _STEP)] += 1
        self.most = max(self.most, seconds)

    def quantile(self, share: float) -> float | None:
        """None while there is nothing."""
        wanted = math.ceil(self.counts.total() * share)
        for step in sorted(self.counts):
            wanted -= self.counts[step]
            if wanted <= 0:
                return min(self.most, _LEAST_S * math.exp((step + 1) * _STEP))
        return None
