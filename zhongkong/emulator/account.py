"""An account as WeChat's console shows it, and what the emulator remembers of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

from zhongkong.emulator.allowlist import Allowlist, AllowlistSettings
from zhongkong.emulator.callbacks.configuration import Callback, CallbackSettings
from zhongkong.emulator.callbacks.feed import Feeds
from zhongkong.emulator.counters import Counters
from zhongkong.emulator.families import Issuer, TokenFamily
from zhongkong.emulator.media import MediaShelf
from zhongkong.emulator.menus import Menus
from zhongkong.emulator.outbox import Outbox
from zhongkong.emulator.slow_handler import SlowHandler, SlowHandlerSettings
from zhongkong.emulator.users import EmulatedUser, Users

FrozenCode = Literal[50002, 50007]
MenuRights = Literal["full", "no_conditional", "none"]


class AccountKind(StrEnum):
    """What decides limits and rights."""

    SUBSCRIPTION = "subscription"
    SERVICE = "service"
    VERIFIED = "verified"
    SANDBOX = "sandbox"
    MINI_PROGRAM = "mini_program"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedAccount:
    """An account as it is when the emulator starts.

    frozen            None, or the code that every call gets: 50002 (frozen, cancelled or migrated)
                      or 50007
    secret_frozen     the secret was frozen in the console: 40243 at the token endpoints
    token_barred      punished by losing the token interface: 50004 there
    menu_rights       `no_conditional`: 65309 for conditional menus; `none`: 65319 for all
    mini_programs     appids that its menus may open; None: any that is well-formed
    callback          where its messages and events go; taken as it is, without a verification
    users             who uses it when the emulator starts
    slow_handler      where its own message handler is told to take its time; None: nowhere
    """

    appid: str
    secret: str = field(repr=False)
    original_id: str = "gh_0123456789ab"
    kind: AccountKind = AccountKind.VERIFIED
    frozen: FrozenCode | None = None
    secret_frozen: bool = False
    token_barred: bool = False
    allowlist: AllowlistSettings = field(default_factory=AllowlistSettings)
    menu_rights: MenuRights = "full"
    mini_programs: tuple[str, ...] | None = None
    callback: CallbackSettings | None = None
    users: tuple[EmulatedUser, ...] = ()
    slow_handler: SlowHandlerSettings | None = None

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not self.appid or not self.secret:
            raise ValueError("an account needs an appid and a secret")
        if len({each.openid for each in self.users}) < len(self.users):
            raise ValueError("the openids of an account's users differ")


@dataclass(slots=True)
class AccountState:
    """The same account while the emulator runs. Only the model and its endpoints change it."""

    appid: str
    secret: str = field(repr=False)
    original_id: str
    kind: AccountKind
    frozen: FrozenCode | None
    secret_frozen: bool
    token_barred: bool
    allowlist: Allowlist
    classic: TokenFamily
    stable: TokenFamily
    tickets: dict[str, TokenFamily]
    counters: Counters
    menu_rights: MenuRights
    mini_programs: tuple[str, ...] | None
    users: Users
    callback: Callback
    slow_handler: SlowHandler | None
    menus: Menus = field(default_factory=Menus)
    media: MediaShelf = field(default_factory=MediaShelf)
    outbox: Outbox = field(default_factory=Outbox)
    feeds: Feeds = field(default_factory=Feeds)
    last_forced_at: float | None = None

    @classmethod
    def begin(cls, declared: EmulatedAccount, issuer: Issuer) -> AccountState:
        return cls(
            appid=declared.appid,
            secret=declared.secret,
            original_id=declared.original_id,
            kind=declared.kind,
            frozen=declared.frozen,
            secret_frozen=declared.secret_frozen,
            token_barred=declared.token_barred,
            allowlist=Allowlist(declared.allowlist),
            classic=TokenFamily(declared.appid, "classic", issuer),
            stable=TokenFamily(declared.appid, "stable", issuer),
            tickets={},
            counters=Counters(),
            menu_rights=declared.menu_rights,
            mini_programs=declared.mini_programs,
            users=Users(declared.users),
            callback=Callback.begin(declared.callback),
            slow_handler=SlowHandler.begin(declared.slow_handler),
        )
