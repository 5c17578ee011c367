"""PURE: how one attempt ended, before anybody judges what that means for the delivery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DELIVERED: Final = "delivered"
TIMEOUT: Final = "timeout"
CONNECTION: Final = "connection"
"""Refused, reset, unreachable, or a name that doesn't resolve."""
TLS: Final = "tls"
GARBAGE: Final = "garbage"
"""What came back is no HTTP."""
UNSENDABLE: Final = "unsendable"
"""The request can't be made: an id or an address that no header could hold."""
INVALID_REPLY: Final = "invalid_reply"
"""A 2xx whose body is no reply that WeChat could be given."""

ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of a target's answer that are read."""

GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """`name` is a metric label; `detail` is for the log and holds nothing of what was sent."""

    name: str
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    """Of a 2xx to a delivery that wants a reply."""
    flaw: str | None = None
    """Why the body can't be read as a reply."""
    retry_after_s: float | None = None
    """What the target asked for, as it asked."""
    detail: str = ""

    @property
    def delivered(self) -> bool:
        return self.name == DELIVERED


def answered(status: int, *, retry_after_s: float | None = None) -> Outcome:
    """The target said something: a 2xx is a delivery, all else isn't."""
    if 200 <= status < 300:
        return Outcome(DELIVERED, status)
    return Outcome(f"http_{status}", status, retry_after_s=retry_after_s)
