"""The plain values that an inbox takes and gives.

An *event* is stored once under its id. It has one *delivery* per target that wants it: notify
deliveries, and at most one reply delivery, whose outcome is the answer to WeChat. A delivery is
due at a time, or leased to an owner who is attempting it; a lapsed lease makes it due again. Done
deliveries are forgotten, failed ones stand as dead letters with a copy of the event. When its
last delivery is over, an event leaves its id behind (with tries and reply) for `retention_s`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

REPLY_LEASE_S: Final = 2.5
"""Renewed every second; a crash costs at most this before another replica takes over."""
NOTIFY_LEASE_S: Final = 10.0
HEARTBEAT_S: Final = 1.0
ATTEMPTS_KEPT: Final = 12
"""Of one delivery, for its dead letter."""
NOWHERE: Final = "-"
"""The target of a dead letter that no delivery led to: the event could not be read."""


class Kind(StrEnum):
    """What a delivery is for."""

    NOTIFY = "notify"
    REPLY = "reply"


class Mark(StrEnum):
    """What the receiver is told about how a delivery came."""

    REDRIVEN = "redriven"
    SPOOLED = "spooled"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A plaintext request's proof, which doesn't cover its body: the same proof, the same body."""

    proof: str
    """Digest over the account and the signature."""
    body: str
    """Digest of the body's bytes."""


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Arrival:
    """One genuine callback, as the intake hands it over."""

    event_id: str
    account: str
    document: bytes = field(repr=False)
    """The CloudEvents document, JSON."""
    notify: tuple[str, ...] = ()
    """Targets that get a copy; each once."""
    replier: str | None = None
    """The target that is asked for the answer."""
    reply_within_s: float = 0.0
    """From the first try to the moment when the last one must be answered."""
    stamp: Stamp | None = None
    malformed: str | None = None
    """Why it can't be read: it becomes a dead letter at once, to NOWHERE."""
    marks: frozenset[Mark] = frozenset()


class Verdict(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    DUPLICATE = "duplicate"
    ALTERED = "altered"
    """The stamp is known with another body: nothing is stored."""
    FULL = "full"
    """The inbox holds as many undelivered events as it may: nothing is stored."""


class ReplyState(StrEnum):
    """How far the answer of an event is."""

    NONE = "none"
    """No target is asked."""
    RUNNING = "running"
    """Somebody holds the attempt's lease, or held it until a moment ago."""
    ANSWERED = "answered"
    """`reply` holds what the target said; b"" when it said that there is none."""
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended. Times in Unix seconds and seconds; `error` holds no content."""

    at: float
    took_s: float
    outcome: str
    """`delivered`, `http_503`, `timeout`, `connection`, `invalid_reply` …"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A leased delivery: the right to attempt it until the lease lapses."""

    event_id: str
    account: str
    target: str
    kind: Kind
    document: bytes = field(repr=False)
    lease: str
    """Names this lease; an older one of the same delivery is void."""
    attempts: tuple[Attempt, ...] = ()
    """Those whose outcome is known, oldest first, the last ATTEMPTS_KEPT."""
    failures: int = 0
    """How many attempts failed since it was accepted or redriven."""
    cut_off: int = 0
    """How many were begun and never reported: their process died."""
    accepted_at: float = 0.0
    reply_until: float | None = None
    """Store time at which nobody waits for the answer any more; None for notify."""
    now: float = 0.0
    """Store time when the lease was given."""
    marks: frozenset[Mark] = frozenset()


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Accepted:
    """The answer to one arrival. `lease` is given when the caller is to run the reply attempt."""

    verdict: Verdict
    tries: int = 1
    """How often this event has arrived, this time included."""
    reply_state: ReplyState = ReplyState.NONE
    reply: bytes | None = field(default=None, repr=False)
    lease: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """How far the answer is; `lease` is given when the caller took a lapsed attempt over."""

    reply_state: ReplyState
    reply: bytes | None = field(default=None, repr=False)
    lease: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Delivered. `reply` for a reply delivery: what to answer, b"" for nothing."""

    reply: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """Failed; due again after so long."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Dead:
    """Failed for good: it becomes a dead letter. A reply delivery is then GIVEN_UP."""

    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """Not attempted after all: due again at once, nothing counted."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of a lease. `attempt` is recorded, when there was one."""

    delivery: Delivery
    result: Done | Retry | Dead | Release
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A kept failure. `id` is `<event_id>.<target>` (letters, digits and . _ -)."""

    id: str
    event_id: str
    account: str
    target: str
    kind: Kind
    reason: str
    died_at: float
    accepted_at: float
    document: bytes = field(repr=False)
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters: those of these ids, or all that fit account and target."""

    ids: tuple[str, ...] = ()
    account: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Dead letters, the oldest first; `next` continues after them, None at the end."""

    letters: tuple[DeadLetter, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the inbox is. Maps by target; ages in seconds."""

    events: int
    """Undelivered events and dead letters, which `limit` bounds together."""
    limit: int
    waiting: Mapping[str, int]
    """Due now or later."""
    leased: Mapping[str, int]
    dead: Mapping[str, int]
    oldest_due_s: Mapping[str, float]
    """How long the head of each target has been due; targets with nothing due are left out."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Times and bounds of an inbox."""

    limit: int = 100_000
    """Undelivered events and dead letters together."""
    retention_s: float = 86_400.0
    """How long an id is remembered after its event came; never shorter."""
    stamp_s: float = 1_200.0
    """How long a plaintext stamp is remembered: at least twice the freshness window."""
    dead_retention_s: float = 30 * 86_400.0
    """How long a dead letter is kept."""
