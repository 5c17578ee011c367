"""Who calls, for which account, on which path: an ask becomes an `Admitted`, or is refused.

`appid`, token and right must mean the same account. What a request says is read in `ask`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from token_service.clients import Verb
from token_service.opaque import LIFE_S, PREFIX, Invalid, Why
from token_service.proxy import refusals
from token_service.proxy.paths import PathClass, allowed
from token_service.proxy.tally import NOBODY
from token_service.slot import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from token_service.clients import Caller
    from token_service.directory import Account, Directory
    from token_service.opaque import OpaqueClaims, OpaqueTokens
    from token_service.proxy.ask import Ask
    from token_service.proxy.handouts import RealHandouts

_REMEMBERED: Final = 4096
"""Tokens and rights that were checked already; callers choose both, so they are bounded."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may call what. `client` and `account` are names for logs and metrics, `-` for nobody."""

    client: str = NOBODY
    account_name: str = NOBODY
    caller: Caller | None = None
    account: Account | None = None
    claims: OpaqueClaims | None = None
    """What the opaque token says that the call was admitted for, where it came with one."""


NOT_ADMITTED: Final = Admitted()
"""Nobody as yet, or somebody whose credential is for WeChat alone to judge."""


class Admission:
    """Knows the clients, the accounts and their tokens. `directory` is replaced at a reload."""

    def __init__(
        self,
        directory: Directory,
        opaque: OpaqueTokens,
        handouts: RealHandouts,
        revoked_before: Mapping[str, float],
    ) -> None:
        """`revoked_before` is alive: it always holds the present revocations."""
        self.opaque = opaque
        self.revoked_before = revoked_before
        self._handouts = handouts
        self._claims: dict[str, OpaqueClaims] = {}
        self.directory = directory

    @property
    def directory(self) -> Directory:
        return self._directory

    @directory.setter
    def directory(self, directory: Directory) -> None:
        self._directory = directory
        self._granted: set[tuple[str, str, str]] = set()

    def by_token(
        self, token: str, peer: str, now: float, kind: str = Kind.ACCESS_TOKEN
    ) -> Admitted:
        """The client and the account that a token of an SDK stands for. Raises Refusal."""
        known = self._claims.get(token)
        if known is not None and known.kind == kind and self.still_good(known, now):
            return self._of(known.client, known.account, known)
        claims = self.opaque.verify(token, now, revoked_before=self.revoked_before, kind=kind)
        if isinstance(claims, Invalid):
            if claims.reason is Why.NOT_OURS and not token.startswith(PREFIX):
                return self._by_real_token(token, peer, now)
            raise refusals.bad_token(str(claims.reason).replace("_", " "))
        if len(self._claims) >= _REMEMBERED:
            self._claims.clear()
        self._claims[token] = claims
        return self._of(claims.client, claims.account, claims)

    def still_good(self, claims: OpaqueClaims, now: float) -> bool:
        """Whether time and revocations left a token good whose seal was checked once."""
        revoked_before = self.revoked_before.get(claims.client, claims.issued_at)
        return revoked_before <= claims.issued_at and now < claims.issued_at + LIFE_S

    def check_right(self, who: Admitted, ask: Ask) -> None:
        """Whether the caller may call this path for this account. Raises Refusal."""
        caller, account = who.caller, who.account
        if caller is None or account is None:
            return
        key = (caller.name, account.name, ask.path)
        if key in self._granted:
            return
        _check_right(caller, account.name, ask)
        if len(self._granted) >= _REMEMBERED:
            self._granted.clear()
        self._granted.add(key)

    def by_key(self, key: str, account: Account) -> Admitted:
        """The client whose key this is. Raises Refusal."""
        caller = self.directory.clients.caller_with_key(key)
        if caller is None:
            raise refusals.bad_key()
        return Admitted(caller.name, account.name, caller, account)

    def account_with(self, appid: str | None) -> Account:
        """The account with this appid. Raises Refusal."""
        if not appid:
            raise refusals.missing("appid", 41002, "it names the account")
        account = self.directory.account_of(appid)
        if account is None:
            raise refusals.unknown_appid()
        return account

    def _by_real_token(self, token: str, peer: str, now: float) -> Admitted:
        """A client that is given real tokens may send its calls through us all the same."""
        known = self._handouts.holder(token, peer, now)
        if known is None:
            raise refusals.bad_token("it is not ours")
        return self._of(*known)

    def _of(self, client: str, account: str, claims: OpaqueClaims | None = None) -> Admitted:
        caller = self.directory.clients.named(client)
        found = self.directory.accounts.get(account)
        if caller is None or found is None:
            raise refusals.bad_token("its client or account is gone from the configuration")
        return Admitted(client, account, caller, found, claims)


def _check_right(caller: Caller, account: str, ask: Ask) -> None:
    if ask.path_class is PathClass.APP:
        if not caller.reaches(Verb.PROXY, account):
            raise refusals.no_right(caller.name, f"`proxy` for account {account}")
        if not allowed(caller.proxy_paths, ask.path):
            raise refusals.no_right(caller.name, "to this path (proxy_paths)")
    elif not caller.reaches(Verb.LOGIN, account):
        raise refusals.no_right(caller.name, f"`login` for account {account}")


def check_appid(who: Admitted, appid: str | None) -> None:
    """Whether an appid in the request means the same account. Raises Refusal."""
    if appid is not None and who.account is not None and appid != who.account.appid:
        raise refusals.unknown_appid()
