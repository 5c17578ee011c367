"""What people and other processes do to an account outside of our calls.

The administrator at the web console, its users, a colleague's forgotten cron job, WeChat's own
mishaps. Each method names its account by appid and raises KeyError for one that isn't there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from zhongkong.emulator.endpoints.credentials import current_or_next
from zhongkong.emulator.logins import CODE_LIFE_S, LoginCode, LoginKind, Scope
from zhongkong.emulator.menu_sight import FetchedMenu, look
from zhongkong.emulator.users import CREDITS

if TYPE_CHECKING:
    from zhongkong.emulator.account import FrozenCode, MenuRights
    from zhongkong.emulator.allowlist import AllowlistSettings
    from zhongkong.emulator.families import Generation
    from zhongkong.emulator.faults import ForeignKind
    from zhongkong.emulator.menu_state import Buttons
    from zhongkong.emulator.platform import Platform
    from zhongkong.emulator.users import Interaction, User

TokenKind = Literal["classic", "stable"]
Which = Literal["current", "previous", "all"]
_CODE_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Console:
    """Acts on the platform's state at once; every effect shows in the ledger."""

    platform: Platform

    def foreign_refresh(
        self, appid: str, now: float, kind: ForeignKind = "classic", *, spends: bool = True
    ) -> str:
        """Another process fetches a token; returns it. Never refused.

        With `spends`, the call counts against the account's quota (and the forced budget and its
        30 s) as a real colleague's would.
        """
        account, rules = self.platform.accounts[appid], self.platform.parameters
        if spends:
            account.counters.roll(now, rules.reset_utc_offset_h)
            path = "/cgi-bin/token" if kind == "classic" else "/cgi-bin/stable_token"
            account.counters.daily[path] += 1
        if kind == "classic":
            return account.classic.mint(now, rules, by="foreign").value
        if kind == "stable":
            return current_or_next(account, now, rules, by="foreign").value
        if spends:
            account.counters.forced_today += 1
            account.last_forced_at = now
        return account.stable.mint_forced(now, rules, by="foreign").value

    def kill_token(
        self, appid: str, now: float, kind: TokenKind, which: Which = "current"
    ) -> list[Generation]:
        """Living tokens die at once, for no reason that anybody is told. Returns those killed."""
        account = self.platform.accounts[appid]
        family = account.classic if kind == "classic" else account.stable
        living = family.living(now)
        chosen = [
            each
            for each in living
            if which == "all" or (each is family.current) == (which == "current")
        ]
        for each in chosen:
            family.end(each, now, "killed")
        return chosen

    def reset_secret(self, appid: str, secret: str, now: float) -> None:
        """The old secret is wrong from now on; tokens die if `secret_reset_kills`."""
        account = self.platform.accounts[appid]
        account.secret = secret
        account.secret_frozen = False
        if self.platform.parameters.secret_reset_kills:
            account.classic.end_all(now, "secret_reset")
            account.stable.end_all(now, "secret_reset")

    def freeze(self, appid: str, code: FrozenCode | None) -> None:
        """50002 or 50007 for every call of the account; None thaws it."""
        self.platform.accounts[appid].frozen = code

    def freeze_secret(self, appid: str, *, frozen: bool) -> None:
        self.platform.accounts[appid].secret_frozen = frozen

    def bar_tokens(self, appid: str, *, barred: bool) -> None:
        self.platform.accounts[appid].token_barred = barred

    def set_menu_rights(self, appid: str, rights: MenuRights) -> None:
        self.platform.accounts[appid].menu_rights = rights

    def link_mini_programs(self, appid: str, linked: tuple[str, ...] | None) -> None:
        """Those that menus may open from now on; None: any."""
        self.platform.accounts[appid].mini_programs = linked

    def publish_menu(self, appid: str, buttons: Buttons, now: float) -> None:
        """Somebody makes a menu at the web console: it takes the place of the one made by calls."""
        keeps = self.platform.parameters.console_keeps_conditional
        self.platform.accounts[appid].menus.publish(buttons, now, keep_conditional=keeps)

    def switch_menu(self, appid: str, now: float, *, is_open: bool) -> None:
        """Somebody switches the menu on or off at the web console."""
        self.platform.accounts[appid].menus.switch(now, is_open=is_open)

    def look_at_menu(
        self, appid: str, openid: str, now: float, *, enters: bool, later: bool = False
    ) -> FetchedMenu:
        """What the user's phone shows; see menu_sight. KeyError for an unknown openid."""
        account = self.platform.accounts[appid]
        user, state = account.users.by_openid[openid], account.menus.state
        return look(user, state, now, enters=enters, later=later)

    def set_allowlist(self, appid: str, settings: AllowlistSettings) -> None:
        """Pending, approved and refused addresses are kept."""
        self.platform.accounts[appid].allowlist.settings = settings

    def approve(self, appid: str, address: str) -> None:
        self.platform.accounts[appid].allowlist.approve(address)

    def refuse(self, appid: str, address: str, now: float) -> None:
        self.platform.accounts[appid].allowlist.refuse(address, now)

    def interaction(self, appid: str, openid: str, kind: Interaction, now: float) -> User:
        """The user does something that lets the account send messages. KeyError if unknown."""
        account, rules = self.platform.accounts[appid], self.platform.parameters
        if kind == "follow":
            account.users.change(openid, now, following=True)
        user = account.users.by_openid[openid]
        messages, within_s = rules.message_credits.get(kind, CREDITS[kind])
        user.credit.grant(messages, within_s, now)
        return user

    def login_code(
        self, appid: str, openid: str, now: float, *, kind: LoginKind, scope: Scope
    ) -> str:
        """The user logs in, on a web page or in a mini-program: the code that comes of it."""
        code = LoginCode(
            value=self.platform.chance.text(_CODE_LENGTH),
            appid=self.platform.accounts[appid].appid,
            openid=openid,
            kind=kind,
            scope=scope,
            expires_at=now + CODE_LIFE_S,
        )
        self.platform.logins.keep_code(code)
        return code.value
