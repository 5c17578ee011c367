"""WeChat's numbers for credentials and daily quotas, and the day that the quotas follow. PURE.

What an account may really do can differ: quotas grow with followers, and
`/cgi-bin/openapi/quota/get` beats what stands here. Limits of menus and messages live with their
services.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

TOKEN_LIFE_S: Final = 7200
"""The longest life of a token. The real one is `expires_in` of the answer, always."""

TICKET_LIFE_S: Final = 7200
"""The usual life of a ticket. The real one is `expires_in` of the answer, always."""

TOKEN_OVERLAP_S: Final = 300
"""How long the previous classic token keeps working after a new one was minted, at best."""

STABLE_RENEWAL_WINDOW_S: Final = 300
"""In this last part of its life a normal stable_token call mints the next token."""

FORCED_REFRESH_INTERVAL_S: Final = 30
"""A forced stable_token call sooner than this after the last one refreshes nothing."""

MINUTE_QUOTA_WAIT_S: Final = 60
"""The shortest wait after 45011."""

QUOTA_RESETS_PER_MONTH: Final = 10
"""Calls of clear_quota, both versions and the console's button together."""

RID_LIFE_S: Final = 7 * 86_400
"""How long rid/get knows a request."""

TOKEN_CAPACITY: Final = 512
"""Characters that storage has to allow for a token. Its form is not to be relied on."""

CHINA_OFFSET_S: Final = 8 * 3600
"""Daily counters are reset at midnight UTC+8. Unconfirmed, hence an argument below."""

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class DailyQuotas:
    """Calls a day of one account. None: no figure is published for this kind of account."""

    classic_token: int
    stable_token: int | None
    stable_token_per_minute: int | None
    forced_refresh: int
    menu_create: int
    menu_get: int
    menu_delete: int
    conditional_menu_add: int | None
    conditional_menu_delete: int | None
    conditional_menu_trymatch: int | None
    custom_message_send: int
    user_info: int


REAL: Final = DailyQuotas(
    classic_token=2000,
    stable_token=500_000,
    stable_token_per_minute=10_000,
    forced_refresh=20,
    menu_create=1000,
    menu_get=10_000,
    menu_delete=1000,
    conditional_menu_add=2000,
    conditional_menu_delete=2000,
    conditional_menu_trymatch=20_000,
    custom_message_send=500_000,
    user_info=5_000_000,
)

SANDBOX: Final = DailyQuotas(
    classic_token=200,
    stable_token=None,
    stable_token_per_minute=None,
    # Not published for sandbox accounts; the figure of real ones is already the cautious choice.
    forced_refresh=20,
    menu_create=100,
    menu_get=1000,
    menu_delete=100,
    conditional_menu_add=None,
    conditional_menu_delete=None,
    conditional_menu_trymatch=None,
    custom_message_send=50_000,
    user_info=500_000,
)


def day_of(now: float, *, offset_s: int = CHINA_OFFSET_S) -> str:
    """The quota day that holds `now` (Unix seconds), as `2024-05-31`. Sorts like time.

    `offset_s` is how far east of UTC the midnight lies at which the counters are reset.
    """
    return datetime.fromtimestamp(now + offset_s, tz=UTC).date().isoformat()


def next_reset(now: float, *, offset_s: int = CHINA_OFFSET_S) -> float:
    """The first reset after `now`, in Unix seconds; always later than `now` itself."""
    return ((now + offset_s) // _DAY_S + 1) * _DAY_S - offset_s
