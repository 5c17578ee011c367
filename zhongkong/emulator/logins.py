"""What users' logins gave: codes, users' own tokens, refresh tokens. Pure state.

A name space of its own: a user's token is never an account's, nor the other way round.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

Scope = Literal["snsapi_base", "snsapi_userinfo"]
LoginKind = Literal["web", "mini_program"]

CODE_LIFE_S: Final = 300.0
USER_TOKEN_LIFE_S: Final = 7200.0
REFRESH_TOKEN_LIFE_S: Final = 30 * 86_400.0
_HELD: Final = 50_000

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class LoginCode:
    """What the browser or the mini-program hands to the server. Good once."""

    value: str = field(repr=False)
    appid: str
    openid: str
    kind: LoginKind
    scope: Scope
    expires_at: float
    used: bool = False


@dataclass(slots=True, kw_only=True)
class UserToken:
    """A user's token and the text that renews it."""

    value: str = field(repr=False)
    refresh_value: str = field(repr=False)
    appid: str
    openid: str
    scope: Scope
    expires_at: float
    refresh_expires_at: float


@dataclass(slots=True)
class Logins:
    """Of all accounts, by value."""

    _codes: OrderedDict[str, LoginCode] = field(default_factory=OrderedDict)
    _tokens: OrderedDict[str, UserToken] = field(default_factory=OrderedDict)
    _refresh_tokens: OrderedDict[str, UserToken] = field(default_factory=OrderedDict)

    def keep_code(self, code: LoginCode) -> None:
        _keep(self._codes, code.value, code)

    def keep_token(self, token: UserToken) -> None:
        """Also after its value was replaced: the old one is then known as ended."""
        _keep(self._tokens, token.value, token)
        _keep(self._refresh_tokens, token.refresh_value, token)

    def code(self, value: str) -> LoginCode | None:
        return self._codes.get(value)

    def token(self, value: str) -> UserToken | None:
        return self._tokens.get(value)

    def by_refresh_token(self, value: str) -> UserToken | None:
        return self._refresh_tokens.get(value)


def _keep(held: OrderedDict[str, T], value: str, item: T) -> None:
    held[value] = item
    if len(held) > _HELD:
        held.popitem(last=False)
