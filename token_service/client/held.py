"""PURE: a token as a client holds it, how long it lives here, and when to ask after it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

LOOK_EVERY_S: Final = 60.0
"""How soon a client hears that its token was replaced, or ends early."""
MARGIN_S: Final = 150.0
"""Before its end a token is asked after more often.

The service renews at least 180 s before the end, so by then there mostly is another one already.
"""

_IN_MARGIN_S: Final = (2.0, 15.0)
_SPREAD: Final = (0.75, 1.0)


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A live token, with its end on both of this machine's clocks; the earlier counts.

    `issued_at` is the service's time. The wall clock moves on in a suspend, where the other may
    stand still; the monotonic one doesn't follow when somebody turns the wall clock back.
    """

    value: str = field(repr=False)
    version: str
    issued_at: float
    expires_at: float
    expires_at_monotonic: float

    def left_s(self, now: float, monotonic: float) -> float:
        return min(self.expires_at - now, self.expires_at_monotonic - monotonic)


def read_token(document: Any, asked_at: float, asked_at_monotonic: float) -> HeldToken:
    """Read a token document; its life counts from before it was asked for.

    The remaining life is what counts, so that two machines' clocks need not agree. Raises
    ValueError, which quotes nothing, when this is no token document.
    """
    try:
        value, version = document["value"], document["version"]
        left_s = document["expires_in"]
        issued_at = datetime.fromisoformat(document["issued_at"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError("this is no token document") from None
    texts = isinstance(value, str) and isinstance(version, str) and value and version
    if not texts or type(left_s) is not int or not 0 <= left_s <= 100_000:
        raise ValueError("this is no token document")
    return HeldToken(value, version, issued_at, asked_at + left_s, asked_at_monotonic + left_s)


def next_look_s(left_s: float, spread: float) -> float:
    """How long to wait before the token is asked after. `spread` in [0, 1) is drawn each time."""
    low, high = _SPREAD
    share = low + (high - low) * spread
    if left_s > MARGIN_S:
        return share * max(min(LOOK_EVERY_S, left_s - MARGIN_S), _IN_MARGIN_S[0])
    shortest, longest = _IN_MARGIN_S
    return share * min(max(left_s / 4, shortest), longest)
