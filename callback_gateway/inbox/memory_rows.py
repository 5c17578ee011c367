"""The rows of the inbox in memory: events, and the deliveries of them that stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callback_gateway.inbox.records import Attempt, Kind, Mark, ReplyState


@dataclass(slots=True)
class StoredEvent:
    """An id, and the event itself while deliveries of it stand."""

    id: str
    number: int
    """Grows in order of acceptance."""
    account: str
    reply_state: ReplyState
    accepted_at: float
    tries: int = 1
    document: bytes = field(default=b"", repr=False)
    reply: bytes | None = field(default=None, repr=False)
    standing: dict[tuple[str, Kind], StoredDelivery] = field(default_factory=dict)
    """By target and kind: who is asked for the answer may get a copy as well."""


@dataclass(slots=True)
class StoredDelivery:
    """A delivery that stands. `due` is when it may be leased next, so it is a lease's end too."""

    event: StoredEvent
    target: str
    kind: Kind
    due: float
    lease: str | None = None
    attempts: tuple[Attempt, ...] = ()
    failures: int = 0
    cut_off: int = 0
    reply_until: float | None = None
    marks: frozenset[Mark] = frozenset()

    @property
    def rank(self) -> tuple[float, int, str]:
        """Sorts those of one target: the longest due first."""
        return self.due, self.event.number, self.kind

    @property
    def name(self) -> tuple[int, Kind]:
        """Names it among those of its target."""
        return self.event.number, self.kind
