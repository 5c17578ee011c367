"""PURE: when the next attempt is due. Chance spreads the wait, and never makes it shorter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_ASKED_S: Final = 86_400.0
"""A target may ask for no longer a wait: nobody stays away for ever by one header."""
JITTER: Final = 0.2
"""At most this part of a wait is added, so that what failed together doesn't return together."""

_SECONDS = re.compile(r"[0-9]+")
_HEADER_AT_MOST: Final = 64
_DATE_FORMATS: Final = (
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
)
"""RFC 9110, section 5.6.7: the one in use, and two old ones that a recipient has to take."""


def wait_s(
    schedule: Sequence[float], failures: int, *, chance: float, asked_s: float | None = None
) -> float | None:
    """How long to wait when an attempt failed after `failures` others; None when it was the last.

    `chance` in [0, 1). `asked_s` is the target's own wish: kept to, up to LONGEST_ASKED_S.
    """
    if failures >= len(schedule):
        return None
    spread = 1.0 + JITTER * chance
    planned = schedule[failures] * spread
    if asked_s is None:
        return planned
    return max(planned, min(asked_s * spread, LONGEST_ASKED_S))


def longest_wait_s(schedule: Sequence[float], failures: int) -> float:
    """At most what `wait_s` gives after that many failures when the target asks for nothing."""
    if failures >= len(schedule):
        return 0.0
    return schedule[failures] * (1.0 + JITTER)


def retry_after_s(value: str | None, now: float) -> float | None:
    """A Retry-After header in seconds from `now` (Unix): it holds seconds or a date.

    None when there is none or it can't be read. Source: RFC 9110, section 10.2.3.
    """
    if value is None or len(value) > _HEADER_AT_MOST:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST_ASKED_S)
    for form in _DATE_FORMATS:
        try:
            moment = datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return min(max(moment.timestamp() - now, 0.0), LONGEST_ASKED_S)
    return None
