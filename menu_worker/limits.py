"""PURE: what WeChat allows of menus: numbers, bytes, and the codes of the two levels.

Lengths are bytes of UTF-8. Source: WeChat's custom menu documentation; what phones show, by sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TOP_BUTTONS: Final = 3
SUB_BUTTONS: Final = 5
KEY_BYTES: Final = 128
URL_BYTES: Final = 1024
PAGE_BYTES: Final = 1024
"""Of a mini-program's `pagepath`."""
ID_BYTES: Final = 128
"""Of a `media_id` or `article_id`."""
CONDITIONAL_DOMAINS: Final = 3
"""Over all conditional menus together."""
TAG_DIGITS: Final = 18
PHONES: Final = ("1", "2", "3")
"""client_platform_type: iOS, Android, others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One of the two levels: how long names may be, and the codes it refuses with.

    `shown` is how much of a name phones show, in Chinese characters.
    """

    name_bytes: int
    shown: int
    name: int
    kind: int
    key: int
    url: int
    domain: int
    account: int
    children: int


TOP: Final = Tier(
    name_bytes=16,
    shown=4,
    name=40018,
    kind=40017,
    key=40019,
    url=40020,
    domain=40055,
    account=40119,
    children=40023,
)
SUB: Final = Tier(
    name_bytes=60,
    shown=8,
    name=40025,
    kind=40024,
    key=40026,
    url=40027,
    domain=40054,
    account=40120,
    children=40022,
)
