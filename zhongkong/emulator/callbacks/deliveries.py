"""What became of one request to an account's server: an answer, or none. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Trouble = Literal["timeout", "connection", "too_large"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """An answer. `late`: it came after the deadline, on a connection that was kept open."""

    status: int
    body: bytes = field(repr=False)
    late: bool = False


@dataclass(frozen=True, slots=True)
class Undelivered:
    """No answer. Whether the receiver got the request is unknown."""

    trouble: Trouble
    detail: str


Delivery: TypeAlias = Delivered | Undelivered
