"""What an endpoint is, what it gets to see, and the gates that stand before many of them."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from zhongkong.emulator.account import AccountKind, AccountState
from zhongkong.emulator.contents import FileAnswer
from zhongkong.emulator.quotas import daily_limit, minute_limit
from zhongkong.emulator.refusal import Payload, Refusal
from zhongkong.emulator.wire import MIXED, Manner

if TYPE_CHECKING:
    from collections.abc import Callable

    from zhongkong.emulator.entries import Effect
    from zhongkong.emulator.families import Generation
    from zhongkong.emulator.platform import Platform
    from zhongkong.emulator.request import ApiRequest

Answer: TypeAlias = Payload | FileAnswer

SMALL_BODY: Final = 1024 * 1024
"""What a body may hold, in bytes, where no files are sent."""

ANY_KIND: Final = frozenset(AccountKind)
_WELL_FORMED: Final = re.compile(r"(\d+_)?[A-Za-z0-9_-]{30,512}")
_MIXED_CODES: Final = (40001, 40014, 42001)


@dataclass(slots=True)
class Visit:
    """One request on its way through. `account` is set as soon as it is recognised."""

    platform: Platform
    request: ApiRequest
    now: float
    account: AccountState | None = None
    token: Generation | None = field(default=None, repr=False)

    def recognised(self) -> AccountState:
        if self.account is None:
            raise Refusal(41001)
        return self.account

    def carried_out(self, effect: Effect, detail: str) -> None:
        """For the ledger: what was done can't be undone by refusing the call."""
        self.platform.ledger.effect_done(self.recognised().appid, effect, detail, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A path and who may call it how. `body_at_most` is in bytes; a larger body never gets here.

    `credential` is what the caller shows: the account's token in the query, appid and secret, a
    token that a user's login gave, or nothing.
    With `token`, the gates (token, frozen account, `kinds`, quota) are passed before `answer` is
    called; with the others, `answer` sees to it itself, because the fields lie elsewhere each time.
    """

    path: str
    method: Literal["GET", "POST"]
    credential: Literal["token", "secret", "user", "none"]
    answer: Callable[[Visit], Answer]
    counted: bool = True
    kinds: frozenset[AccountKind] = ANY_KIND
    manner: Manner = MIXED
    body_at_most: int = SMALL_BODY
    any_method_if: Callable[[Platform], bool] | None = None

    def serve(self, visit: Visit) -> Answer:
        """Raises Refusal."""
        lenient = self.any_method_if is not None and self.any_method_if(visit.platform)
        if visit.request.method != self.method and not lenient:
            raise Refusal(43001 if self.method == "GET" else 43002)
        if self.credential == "token":
            pass_with_token(visit)
            if visit.recognised().kind not in self.kinds:
                raise Refusal(48001)
            if self.counted:
                spend(visit)
        return self.answer(visit)


def pass_with_token(visit: Visit) -> None:
    """Recognise the account by its token, and let it through unless frozen."""
    platform = visit.platform
    value = visit.request.query.get("access_token")
    if value is None:
        raise Refusal(41001)
    if not value:
        raise Refusal(platform.parameters.empty_token_code)
    token = platform.token(value)
    code = 0 if token and token.alive(visit.now) else _dead_code(value, token, visit)
    platform.ledger.token_used(
        value,
        token.appid if token else None,
        visit.request.path,
        now=visit.now,
        alive=code == 0,
        errcode=code,
    )
    if token is not None:
        visit.account = platform.accounts[token.appid]
    if code or token is None:
        raise Refusal(code)
    visit.token = token
    refuse_frozen(visit.recognised())


def pass_with_secret(visit: Visit, appid: str, secret: str) -> AccountState:
    """Recognise the account by appid and secret. Raises Refusal: 40013, 500xx, 40125, 40243."""
    account = visit.platform.accounts.get(appid)
    if account is None:
        raise Refusal(40013)
    visit.account = account
    refuse_frozen(account)
    if not hmac.compare_digest(secret.encode(), account.secret.encode()):
        raise Refusal.of_secret(visit.platform.parameters.wrong_secret_code)
    if account.secret_frozen:
        raise Refusal(40243)
    return account


def pass_with_address(visit: Visit) -> None:
    """Only listed or confirmed addresses fetch tokens; mini-programs may from anywhere."""
    account, rules = visit.recognised(), visit.platform.parameters
    if account.kind is AccountKind.MINI_PROGRAM:
        return
    peer = visit.request.peer
    code = account.allowlist.check(peer, visit.now, rules.refused_for_s, rules.refused_twice_for_s)
    if code:
        raise Refusal.of_address(code, peer)


def spend(visit: Visit) -> None:
    """Count the call against the path's limits. Raises Refusal: 45009, 45011."""
    account, rules = visit.recognised(), visit.platform.parameters
    path = visit.request.path
    account.counters.roll(visit.now, rules.reset_utc_offset_h)
    code = account.counters.spend(
        path, daily_limit(path, account.kind, rules), minute_limit(path, account.kind, rules)
    )
    if code:
        raise Refusal(code)


def refuse_frozen(account: AccountState) -> None:
    if account.frozen:
        raise Refusal(account.frozen)


def _dead_code(value: str, token: Generation | None, visit: Visit) -> int:
    rules = visit.platform.parameters
    if token is None:
        return rules.unknown_token_code if _WELL_FORMED.fullmatch(value) else 40014
    if rules.dead_token_code == "mixed":
        return visit.platform.chance.choice(_MIXED_CODES)
    if rules.dead_token_code == "cause":
        return 42001 if token.cause == "expired" else 40001
    return int(rules.dead_token_code)
