"""What is known of one token: the slot and everything that a store keeps of it. Plain values only.

A slot is (account, kind, mode): a classic and a stable token of one account never share one. Times
are Unix seconds by the store's clock. What happens to these values is in `transitions`, what they
call for is in `rotation`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from token_service.freeze import Freeze  # noqa: TC001 - read when a stored state is decoded

_VERSION_LABEL = b"zhongkong token version"
_VERSION_HEX_DIGITS = 24


class Kind(StrEnum):
    """What WeChat calls the credential."""

    ACCESS_TOKEN = "access_token"
    JSAPI_TICKET = "jsapi_ticket"
    WX_CARD_TICKET = "wx_card_ticket"

    @property
    def is_ticket(self) -> bool:
        """Whether an access token is needed to fetch it."""
        return self is not Kind.ACCESS_TOKEN


class Mode(StrEnum):
    """Which of WeChat's two token endpoints an account uses."""

    STABLE = "stable"
    CLASSIC = "classic"


class Call(StrEnum):
    """One way to ask WeChat for a token."""

    NORMAL = "normal"
    """stable_token: the current token, or the next one in the last 300 s of its life."""
    FORCED = "forced"
    """stable_token with force_refresh: always a new token; 20 a day."""
    CLASSIC = "classic"
    """/cgi-bin/token: always a new token; 2000 a day."""
    TICKET = "ticket"
    """/cgi-bin/ticket/getticket, with the account's access token."""

    @property
    def kills_predecessor(self) -> bool:
        """Whether the token before it starts to die when this call takes effect."""
        return self in {Call.FORCED, Call.CLASSIC}


class Cause(StrEnum):
    """Why a token is asked for. Shared by logs, metrics, status and tests."""

    MISSING = "token_missing"
    PLANNED = "token_near_expiry"
    EXPIRED = "token_expired"
    REJECTED = "token_rejected"
    DOUBT = "token_in_doubt"
    ROTATION = "rotation_requested"


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one token."""

    appid: str
    kind: Kind
    mode: Mode

    def __str__(self) -> str:
        return f"{self.appid}/{self.kind}/{self.mode}"


@dataclass(frozen=True, slots=True)
class Fence:
    """A grant's number: it only grows within one generation of the store."""

    generation: str
    counter: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh one slot until `expires_at`, unless the store says otherwise."""

    holder: str
    fence: Fence
    expires_at: float


class IntentOutcome(StrEnum):
    """What became of an announced call."""

    OPEN = "open"
    UNKNOWN = "unknown"
    """It may have been carried out; its answer never came, or can't be read."""
    REFUSED = "refused"
    """It was carried out, and the store refused its token: another holder came after."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that was announced before it was sent. `lands_before`: later it can't take effect."""

    fence: Fence
    holder: str
    call: Call
    cause: Cause
    sent_at: float
    lands_before: float
    outcome: IntentOutcome = IntentOutcome.OPEN
    settled_at: float | None = None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as the platform gave it. `fetched_at`: the last call that returned it."""

    value: str = field(repr=False)
    version: str
    issued_at: float
    expires_at: float
    fetched_at: float
    fence: Fence
    call: Call
    cause: Cause
    made_with: str | None = None
    """Of a ticket: the version of the access token that fetched it."""


@dataclass(frozen=True, slots=True)
class Condemned:
    """The current token is dead. `probed`: WeChat itself said so when asked about the token."""

    at: float
    probed: bool


class Verdict(StrEnum):
    """What a probe found."""

    ALIVE = "alive"
    DEAD = "dead"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Probe:
    """The newest probe: one cheap call with the token, shared by all replicas."""

    version: str
    claimed_at: float
    verdict: Verdict | None = None


class FailureKind(StrEnum):
    """How a failed call is to be handled (design: error classes)."""

    TRANSIENT = "transient"
    UNKNOWN_OUTCOME = "unknown_outcome"
    QUOTA = "quota"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Failure:
    """The last call failed; nobody tries again before `retry_at`. `attempts` in a row."""

    kind: FailureKind
    at: float
    retry_at: float
    attempts: int
    detail: str
    errcode: int | None = None
    rid: str | None = None
    hint: str | None = None
    credential: str = ""
    """Fingerprint of the secret that was used: another secret may try at once."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """WeChat refused one replica's address until then; other replicas may go on."""

    replica: str
    errcode: int
    at: float
    until: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls made on one day (UTC+8) by kind of call. `last_forced_at` outlives the day."""

    day: str = ""
    normal: int = 0
    forced: int = 0
    classic: int = 0
    ticket: int = 0
    last_forced_at: float | None = None

    def spent(self, call: Call) -> int:
        """How many calls of this kind were made on the budget's day."""
        counts = {
            Call.NORMAL: self.normal,
            Call.FORCED: self.forced,
            Call.CLASSIC: self.classic,
            Call.TICKET: self.ticket,
        }
        return counts[call]


@dataclass(frozen=True, slots=True)
class ForeignRefreshes:
    """How often our live token died though we didn't replace it."""

    count: int = 0
    last_at: float | None = None


@dataclass(frozen=True, slots=True)
class SlotState:
    """All that the store keeps of one slot.

    `generation` and `born_at` name the store's present life: an emptied store begins another.
    `counter` is the highest fence granted or restored. `committed`: a token was committed in this
    generation.
    """

    generation: str
    born_at: float
    counter: int = 0
    committed: bool = False
    record: TokenRecord | None = None
    condemned: Condemned | None = None
    lease: Lease | None = None
    intents: tuple[Intent, ...] = ()
    probe: Probe | None = None
    failure: Failure | None = None
    refusals: tuple[Refusal, ...] = ()
    budget: Budget = Budget()
    foreign: ForeignRefreshes = ForeignRefreshes()
    frozen: Freeze | None = None
    """Of the whole store: kept once, not with each slot."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent reading of a slot, and the store's time at that reading."""

    state: SlotState
    now: float


@dataclass(frozen=True, slots=True)
class Grant:
    """A lease, and what the slot looked like when it was granted."""

    lease: Lease
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Abandonment:
    """How a call that brought no token ended.

    `sent`: it may have reached WeChat, so its budget is spent. `unknown`: it may have taken effect.
    """

    sent: bool
    unknown: bool
    failure: Failure | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor. `reset`: the store lost its past, so re-read every slot."""

    cursor: str
    slots: frozenset[Slot]
    reset: bool = False


class LeaseLost(Exception):
    """The lease isn't this holder's any more: send nothing."""


def version_of(appid: str, kind: Kind, value: str) -> str:
    """The public name of a token value: equal values have equal versions, on every replica.

    Keyed with a constant so that versions agree while the store is away and after a key rotation; a
    token carries too much randomness for its version to be turned back into it.
    """
    message = b"\0".join((appid.encode(), kind.encode(), value.encode()))
    return hmac.new(_VERSION_LABEL, message, hashlib.sha256).hexdigest()[:_VERSION_HEX_DIGITS]
