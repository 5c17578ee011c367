"""PURE: which real tokens were handed to SDKs, to whom, and who asks again suspiciously soon.

Tokens are known by their digests alone. Memory is bounded; what falls out is a stranger again.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

SUSPICIOUS_WITHIN_S: Final = 60.0
_FORGOTTEN_AFTER_S: Final = 7200.0 + 600.0
_REMEMBERED: Final = 20_000

Holder = tuple[str, str]
"""A client's and an account's name."""


class RealHandouts:
    """`now` is Unix seconds by the store's clock."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._holders: OrderedDict[tuple[bytes, str], tuple[Holder, float]] = OrderedDict()
        self._asked: OrderedDict[tuple[str, str, str], tuple[str, float]] = OrderedDict()

    def note(self, token: str, holder: Holder, peer: str, now: float) -> None:
        """This client at this address was given this token."""
        digest = _digest(token)
        for address in (peer, ""):
            key = (digest, address)
            self._holders[key] = (holder, now)
            self._holders.move_to_end(key)
        while len(self._holders) > self._remembered:
            self._holders.popitem(last=False)

    def holder(self, token: str, peer: str, now: float) -> Holder | None:
        """Who was given this token at this address, else who was given it last."""
        digest = _digest(token)
        known = self._holders.get((digest, peer)) or self._holders.get((digest, ""))
        if known is None or now - known[1] > _FORGOTTEN_AFTER_S:
            return None
        return known[0]

    def asks_again(self, holder: Holder, peer: str, version: str, now: float) -> bool:
        """Note that this version is asked for; whether the last time was too short ago.

        Many pods that share a key have many addresses, and are no suspicion.
        """
        key = (*holder, peer)
        last = self._asked.get(key)
        self._asked[key] = (version, now)
        self._asked.move_to_end(key)
        if len(self._asked) > self._remembered:
            self._asked.popitem(last=False)
        return last is not None and last[0] == version and now - last[1] < SUSPICIOUS_WITHIN_S


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
