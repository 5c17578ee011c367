"""What the API needs of the rotation: the part of `Rotator` that it calls, as a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from token_service.served import Rejection, Served, SlotStatus
    from token_service.slot import Slot


class TokenSource(Protocol):
    """Gives live tokens. Slots are those of configured accounts."""

    def peek(self, slot: Slot) -> Served | None:
        """The live token in memory, or None. No I/O."""

    def now(self) -> float:
        """The time by which tokens live and die: Unix seconds by the store's clock."""

    async def get(self, slot: Slot, *, wait_s: float, min_ttl_s: float = 0) -> Served:
        """A live token; waits for the refresh under way. Raises NoLiveToken."""

    async def reject(self, slot: Slot, version: str, *, evidence: bool = False) -> Rejection:
        """Somebody says that this version is dead. Raises NoLiveToken, StoreUnavailable."""

    async def rotate(self, slot: Slot, *, reason: str) -> Served:
        """A person wants a new token. Raises TooSoon, NoLiveToken, StoreUnavailable."""

    def statuses(self) -> list[SlotStatus]:
        """What may be shown of every slot."""
