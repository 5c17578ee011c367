"""Which accounts exist and who may use what: one immutable value, replaced whole by a reload."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from token_service.problems import no_right, unknown_account, unknown_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from token_service.clients import Caller, Clients, Verb
    from token_service.slot import Slot


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account and its tokens by kind. `secret` reveals its AppSecret."""

    name: str
    appid: str
    slots: Mapping[str, Slot]
    secret: Callable[[], str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Directory:
    """All accounts by name, and all clients."""

    accounts: Mapping[str, Account]
    clients: Clients
    _by_appid: Mapping[str, Account] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_appid = {account.appid: account for account in self.accounts.values()}
        object.__setattr__(self, "_by_appid", by_appid)

    def account_of(self, appid: str) -> Account | None:
        """The account with this appid, or None."""
        return self._by_appid.get(appid)

    def slot(self, caller: Caller, verb: Verb, account: str, kind: str) -> Slot:
        """The slot that this caller wants to use. Raises Problem: 404 unknown, 403 no right."""
        found = self.accounts.get(account)
        if found is None:
            raise unknown_account()
        slot = found.slots.get(kind)
        if slot is None:
            raise unknown_kind(sorted(found.slots))
        if not caller.may(verb, account, kind):
            raise no_right(caller.name, verb, account, kind)
        return slot

    def seen_by(self, caller: Caller) -> list[dict[str, object]]:
        """The accounts and kinds that some right of this caller touches."""
        rows: list[dict[str, object]] = []
        for account in self.accounts.values():
            kinds = [kind for kind in account.slots if caller.sees(account.name, kind)]
            if kinds:
                rows.append({"account": account.name, "appid": account.appid, "kinds": kinds})
        return rows
