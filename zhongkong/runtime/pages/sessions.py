"""Logins to the pages: opaque names of sessions, kept in memory and forgotten at a restart.

Only the digest of a session's name is kept. How it gets into a browser is in cookies.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhongkong.runtime.clock import Clock, Randomness

LIFE_S: Final = 12 * 3600.0
SESSIONS_AT_MOST: Final = 64
"""One more ends the oldest."""

_NAME_BYTES: Final = 32
_NAME_AT_MOST: Final = 128


@dataclass(slots=True)
class Session:
    """One login. `csrf` has to come with every change, `news` is told once."""

    csrf: str = field(repr=False)
    ends_at: float
    """By the monotonic clock."""
    news: tuple[str, bool] | None = None
    """What came of the last change, and whether it was done."""

    def is_own(self, csrf: str) -> bool:
        """Whether this is the session's CSRF token."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "surrogateescape"))

    def take_news(self) -> tuple[str, bool] | None:
        """What came of the last change; the next call has None."""
        news, self.news = self.news, None
        return news


class Sessions:
    """All logins of this process."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._by_digest: OrderedDict[bytes, Session] = OrderedDict()

    def open(self) -> str:
        """Begin a session; returns its name, which nobody can guess."""
        while len(self._by_digest) >= SESSIONS_AT_MOST:
            self._by_digest.popitem(last=False)
        name = self._randomness.token(_NAME_BYTES)
        csrf = self._randomness.token(_NAME_BYTES)
        self._by_digest[_digest(name)] = Session(csrf, self._clock.monotonic() + LIFE_S)
        return name

    def find(self, name: str | None) -> Session | None:
        """The session of this name while it lives."""
        if not name or len(name) > _NAME_AT_MOST:
            return None
        # What the time of this look-up tells about digests says nothing about names.
        digest = _digest(name)
        session = self._by_digest.get(digest)
        if session is not None and self._clock.monotonic() >= session.ends_at:
            del self._by_digest[digest]
            return None
        return session

    def close(self, name: str | None) -> None:
        """End it, wherever else it may be used."""
        if name:
            self._by_digest.pop(_digest(name), None)


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
