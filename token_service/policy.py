"""PURE: the times and limits that the rotation keeps to, and what only one replica knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from token_service.slot import Budget, Call, Intent, Mode, TokenRecord


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls a day by kind of call, as WeChat counts them, and what is kept back for people."""

    normal: int = 500_000
    forced: int = 20
    classic: int = 2000
    ticket: int = 2000
    forced_reserve: int = 3
    classic_reserve: int = 20

    def of(self, call: Call, *, for_people: bool = False) -> int:
        """How many calls a day may be made: by the rotation itself, or by a person too."""
        match call:
            case Call.NORMAL:
                return self.normal
            case Call.FORCED:
                return self.forced - (0 if for_people else self.forced_reserve)
            case Call.CLASSIC:
                return self.classic - (0 if for_people else self.classic_reserve)
            case Call.TICKET:
                return self.ticket


@dataclass(frozen=True, slots=True)
class Policy:
    """The times of one slot, in seconds. The defaults are the platform's facts with a margin."""

    mode: Mode = Mode.STABLE
    ticket: bool = False
    lead_s: float = 240.0
    """A planned refresh comes this long before the end, less jitter; below the overlap of 300."""
    lead_jitter_s: float = 30.0
    call_deadline_s: float = 10.0
    lease_ttl_s: float = 15.0
    send_margin_s: float = 2.0
    """A call is not sent when announcing it took longer than this."""
    settle_s: float = 5.0
    """After we gave a call up, WeChat may still carry it out for this long."""
    overlap_s: float = 300.0
    overlap_margin_s: float = 15.0
    probe_window_s: float = 10.0
    doubt_probe_every_s: float = 30.0
    doubt_mint_apart_s: float = 10.0
    refetch_apart_s: float = 15.0
    condemned_refetch_s: float = 60.0
    forced_apart_s: float = 30.0
    reseed_grace_s: float = 3.0
    """How long an empty shared store is left to replicas that may hold a live token."""
    backoff_base_s: float = 1.0
    backoff_cap_s: float = 60.0
    operator_retry_s: float = 600.0
    budget_low_share: float = 0.8
    limits: Limits = field(default_factory=Limits)

    @property
    def first_call(self) -> Call:
        """The ordinary way to a token, or to a ticket."""
        if self.ticket:
            return Call.TICKET
        return Call.NORMAL if self.mode is Mode.STABLE else Call.CLASSIC

    @property
    def rotation_call(self) -> Call:
        """The way to another token when a person asks for one."""
        return Call.FORCED if self.first_call is Call.NORMAL else self.first_call

    @property
    def lands_within_s(self) -> float:
        """A call announced now can't take effect later than this."""
        return self.call_deadline_s + self.settle_s


@dataclass(frozen=True, slots=True)
class Replica:
    """What only this replica knows. `held`: its live record, which the store may have lost."""

    name: str
    credential: str = ""
    held: TokenRecord | None = None
    held_intents: tuple[Intent, ...] = ()
    spent: Budget = field(default_factory=Budget)
    credential_refused_until: float = 0.0
