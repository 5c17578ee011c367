"""What a round of the benchmark `gateway` asks of a server, and what it reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["success", "empty", "echo"]


@dataclass(frozen=True, slots=True)
class Volley:
    """What one round reached. `generator_share`: of its core, taken by the generator itself."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_share: float

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds
