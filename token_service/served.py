"""What the rotator gives its callers: a live token, an outcome, or a reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_service.slot import Failure, Refusal, Slot


@dataclass(frozen=True, slots=True)
class Served:
    """A live token. `expires_at`: when we stop vouching for it, which a doubt brings forward."""

    slot: Slot
    value: str = field(repr=False)
    version: str
    issued_at: float
    expires_at: float

    def lifetime(self, now: float) -> int:
        """Whole seconds left."""
        return max(0, int(self.expires_at - now))


class RejectionOutcome(StrEnum):
    """What came of a report that a token is dead."""

    ALREADY_REPLACED = "already_replaced"
    REPLACED = "replaced"
    CONFIRMED_VALID = "confirmed_valid"
    THROTTLED = "throttled"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Rejection:
    """The outcome of a report, and the token to use now."""

    outcome: RejectionOutcome
    served: Served


class NoLiveToken(Exception):
    """No live token can be given now. `detail` says why and what to do."""

    def __init__(
        self, detail: str, *, retry_after_s: float = 1.0, failure: Failure | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.failure = failure


class TooSoon(Exception):
    """A forced rotation isn't allowed yet. `detail` says which limit stands against it."""

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class Alarm(StrEnum):
    """What an operator has to look at. Shared by status, metrics, logs and alert rules."""

    NO_LIVE_TOKEN = "no_live_token"
    REFRESH_LATE = "refresh_late"
    IN_DOUBT = "token_in_doubt"
    BUDGET_LOW = "budget_nearly_spent"
    BUDGET_SPENT = "budget_spent"
    OPERATOR_ERROR = "operator_error"
    ADDRESS_REFUSED = "address_refused"
    PARKED = "parked_all_addresses_refused"
    FOREIGN_REFRESH = "foreign_refresh"
    STORE_AWAY = "store_away"
    STORE_FROZEN = "store_frozen"


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """Everything about one slot that may be shown: no token, no secret."""

    account: str
    slot: Slot
    live: bool
    version: str | None
    issued_at: float | None
    expires_at: float | None
    expires_in_s: int
    next_refresh_at: float | None
    last_cause: str | None
    last_call: str | None
    in_doubt_since: float | None
    waiting_for: str | None
    """Why the next action isn't taken now: one of the reasons of `rotation`."""
    failure: Failure | None
    refusals: tuple[Refusal, ...]
    spent: dict[str, int]
    limits: dict[str, int]
    foreign_refreshes: int
    last_foreign_refresh_at: float | None
    alarms: tuple[Alarm, ...]
