"""What the control calls take: one class a body, each field checked before anything happens."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from zhongkong.emulator.account import FrozenCode, MenuRights
from zhongkong.emulator.allowlist import AllowlistSettings
from zhongkong.emulator.console import TokenKind, Which
from zhongkong.emulator.faults import ForeignKind
from zhongkong.emulator.logins import LoginKind, Scope
from zhongkong.emulator.users import Interaction


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClockChange(Body):
    """Applied in this order: frozen, offset_s, advance_s."""

    frozen: bool | None = None
    offset_s: float | None = None
    advance_s: float | None = None


class AccountChange(Body):
    """Only the fields that are present change anything."""

    frozen: FrozenCode | None = None
    secret_frozen: bool | None = None
    token_barred: bool | None = None
    allowlist: AllowlistSettings | None = None
    secret: str | None = Field(default=None, min_length=1, max_length=512)
    menu_rights: MenuRights | None = None
    mini_programs: tuple[str, ...] | None = None


class Confirmation(Body):
    """The administrator's tap for an address that waits."""

    address: str = Field(min_length=1, max_length=64)
    decision: Literal["approve", "refuse"]


class UserInteraction(Body):
    """What a user did, and so what the account may send."""

    openid: str = Field(min_length=1, max_length=128)
    kind: Interaction = "message"


class Login(Body):
    """A user who logs in and brings a code."""

    openid: str = Field(min_length=1, max_length=128)
    kind: LoginKind = "web"
    scope: Scope = "snsapi_userinfo"


class Kill(Body):
    """Living tokens of one family. `appid` may be left out when there is one account."""

    appid: str | None = None
    family: TokenKind = "stable"
    which: Which = "current"


class ForeignRefresh(Body):
    """A colleague's call. With `spends` false it leaves quotas and the forced interval alone."""

    appid: str | None = None
    kind: ForeignKind = "classic"
    spends: bool = True


class TokenQuestion(Body):
    """Asks whether a value is alive."""

    value: str = Field(min_length=1, max_length=4096)


class SecretQuestion(Body):
    """Asks whether a text was ever seen. With `watch` it is counted exactly from now on."""

    text: str = Field(min_length=1, max_length=4096)
    watch: bool = False


class MenuHistoryQuestion(Body):
    """Query of GET menu-history."""

    after: int | None = Field(default=None, ge=0)
    count: int = Field(default=100, ge=1, le=1000)


class MenuGlance(Body):
    """Query of GET menu: with `enter` the user comes into the chat.

    With `later` too, as if more than 5 minutes had passed since the phone fetched it.
    """

    enter: bool = False
    later: bool = False


class LedgerQuestion(Body):
    """Query of GET ledger."""

    kind: Literal["issued", "died", "used", "effect", "request"] | None = None
    appid: str | None = None
    family: str | None = None
    path: str | None = None
    since: int | None = Field(default=None, ge=0)
    count: int = Field(default=1000, ge=1, le=10_000)
