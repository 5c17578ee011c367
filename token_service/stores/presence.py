"""Which replicas live, for stores that only one process can see."""

from __future__ import annotations


class Presence:
    """Replica names with the time until which each is taken for live."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def beat(self, replica: str, *, ttl_s: float, now: float) -> frozenset[str]:
        """Register a replica, and name all live ones. ttl 0 signs off."""
        self._until[replica] = now + ttl_s
        self._until = {name: until for name, until in self._until.items() if until > now}
        return frozenset(self._until)
