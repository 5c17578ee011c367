"""PURE: how often somebody may type a wrong key. `now` is a monotonic time in seconds."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

WINDOW_S: Final = 60.0
FAILURES_OF_PEER: Final = 5
FAILURES_OF_ALL: Final = 100
"""Together: one peer may have many addresses."""
PEERS_AT_MOST: Final = 1024


class LoginLimit:
    """Failures of the last minute by peer, and together."""

    def __init__(self) -> None:
        self._by_peer: OrderedDict[str, list[float]] = OrderedDict()
        self._all: list[float] = []

    def wait_s(self, peer: str, now: float) -> float:
        """How long this peer has to wait before its next try; 0 when it may try now."""
        self._all = _recent(self._all, now)
        own = _recent(self._by_peer.get(peer, []), now)
        return max(_wait_s(own, FAILURES_OF_PEER, now), _wait_s(self._all, FAILURES_OF_ALL, now))

    def note_failure(self, peer: str, now: float) -> None:
        """A wrong key was typed."""
        own = _recent(self._by_peer.pop(peer, []), now)
        self._by_peer[peer] = [*own, now]
        self._all = [*_recent(self._all, now), now]
        while len(self._by_peer) > PEERS_AT_MOST:
            self._by_peer.popitem(last=False)

    def forgive(self, peer: str) -> None:
        """The right key was typed."""
        self._by_peer.pop(peer, None)


def _recent(failures: list[float], now: float) -> list[float]:
    return [at for at in failures if now - at < WINDOW_S]


def _wait_s(failures: list[float], limit: int, now: float) -> float:
    return 0.0 if len(failures) < limit else failures[-limit] + WINDOW_S - now
