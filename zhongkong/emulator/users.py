"""The people who use an account: who follows, with which phone, with which tags, in which order.

What an account may send a user without being asked (its credit) is kept here too. Pure state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zhongkong.emulator.menu_sight import FetchedMenu

Phone = Literal["ios", "android", "other"]
Interaction = Literal[
    "message", "menu_tap", "follow", "scan", "pay", "mini_program_message", "mini_program_enter"
]

_USERS_AT_MOST: Final = 100_000
_TWO_DAYS_S: Final = 48 * 3600.0

CREDITS: Final[Mapping[Interaction, tuple[int, float]]] = MappingProxyType(
    {
        "message": (5, _TWO_DAYS_S),
        "menu_tap": (3, 60.0),
        "follow": (3, 60.0),
        "scan": (3, 60.0),
        "pay": (0, 0.0),
        "mini_program_message": (5, _TWO_DAYS_S),
        "mini_program_enter": (2, 60.0),
    }
)
"""Interaction → how many messages the account may send, within how many seconds."""

PHONE_NUMBERS: Final[Mapping[Phone, str]] = MappingProxyType(
    {"ios": "1", "android": "2", "other": "3"}
)
"""As `client_platform_type` of a rule has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedUser:
    """A user as the account sees one. `tags` stand in the order of their application."""

    openid: str
    nickname: str = ""
    wechat_id: str | None = None
    unionid: str | None = None
    following: bool = True
    phone: Phone = "ios"
    language: str = "zh_CN"
    tags: tuple[int, ...] = ()

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 0 < len(self.openid) <= 128:
            raise ValueError("an openid has between 1 and 128 characters")


@dataclass(slots=True)
class Credit:
    """Messages that may still be sent, and until when. Credits don't add up, the larger counts."""

    left: int = 0
    until: float = -math.inf

    def grant(self, messages: int, within_s: float, now: float) -> None:
        self.left = max(messages, self.left if now < self.until else 0)
        self.until = max(self.until, now + within_s)

    def spend(self, now: float) -> int:
        """0, or the code that refuses the message."""
        if now >= self.until:
            return 45015
        if self.left <= 0:
            return 45047
        self.left -= 1
        return 0


@dataclass(slots=True)
class User:
    """The same user while the emulator runs. `menu`: what the phone holds, None before that."""

    profile: EmulatedUser
    followed_at: float = 0.0
    credit: Credit = field(default_factory=Credit)
    menu: FetchedMenu | None = None


class Users:
    """Those of one account. Only the methods here change who is among them."""

    def __init__(self, declared: Sequence[EmulatedUser]) -> None:
        self.by_openid: dict[str, User] = {}
        for each in declared:
            self.add(each, 0.0)

    def get(self, openid: str) -> User | None:
        return self.by_openid.get(openid)

    def known_as(self, user_id: str) -> User | None:
        """By openid or by WeChat id."""
        found = self.by_openid.get(user_id)
        if found is not None:
            return found
        everybody = self.by_openid.values()
        return next((each for each in everybody if each.profile.wechat_id == user_id), None)

    def add(self, declared: EmulatedUser, now: float) -> User:
        """Raises ValueError when the openid is there already, or too many are."""
        if declared.openid in self.by_openid:
            raise ValueError(f"openid {declared.openid} is there already")
        if len(self.by_openid) >= _USERS_AT_MOST:
            raise ValueError(f"{_USERS_AT_MOST} users are there already")
        user = self.by_openid[declared.openid] = User(declared, followed_at=now)
        return user

    def meet(self, openid: str, now: float) -> User:
        """The one of that openid, made if unknown. Raises ValueError as `add` does."""
        return self.by_openid.get(openid) or self.add(EmulatedUser(openid=openid), now)

    def change(self, openid: str, now: float, **changes: Any) -> User:
        """Raises KeyError for an unknown openid."""
        user = self.by_openid[openid]
        if changes.get("following") and not user.profile.following:
            user.followed_at, user.menu = now, None
        user.profile = replace(user.profile, **changes)
        return user
