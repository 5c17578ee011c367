"""What the platform holds: accounts, every token by its value, counters, ledger, journal, pushes.

The endpoints work on it; it knows none of them. It is also the issuer of all credentials, so that
each birth and death reaches the ledger.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import AccountState, EmulatedAccount
from zhongkong.emulator.callbacks.book import PushBook
from zhongkong.emulator.chance import Chance
from zhongkong.emulator.journal import Journal
from zhongkong.emulator.ledger import Ledger
from zhongkong.emulator.logins import Logins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.emulator.families import FamilyName, Generation, Minter
    from zhongkong.emulator.parameters import Parameters
    from zhongkong.emulator.request import ApiRequest

_TOKENS_REMEMBERED: Final = 50_000


class Platform:
    """Mutable state. One thread at a time."""

    def __init__(
        self, accounts: Sequence[EmulatedAccount], parameters: Parameters, seed: int
    ) -> None:
        self.parameters = parameters
        self.chance = Chance(seed)
        self.ledger = Ledger()
        self.journal = Journal()
        self.logins = Logins()
        self.pushes = PushBook()
        self.accounts: dict[str, AccountState] = {}
        self._tokens: OrderedDict[str, Generation] = OrderedDict()
        for account in accounts:
            self.add_account(account)

    def add_account(self, account: EmulatedAccount) -> AccountState:
        """Raises ValueError when the appid is there already."""
        if account.appid in self.accounts:
            raise ValueError(f"appid {account.appid} is there already")
        state = AccountState.begin(account, self)
        self.accounts[account.appid] = state
        return state

    def token(self, value: str) -> Generation | None:
        """An access token that was issued, dead or alive; tickets are none."""
        return self._tokens.get(value)

    def owner_of(self, request: ApiRequest) -> str | None:
        """The appid that a request concerns, by its token or its own word; None if unknown."""
        token = self.token(request.query.get("access_token", ""))
        if token is not None:
            return token.appid
        login = self.logins.token(request.query.get("access_token", ""))
        if login is not None:
            return login.appid
        appid = request.fields().get("appid")
        return appid if isinstance(appid, str) and appid in self.accounts else None

    # ------------------------------------------------------------------ the issuer

    def new_value(self, family: FamilyName) -> str:
        length = self.parameters.token_length
        prefix = f"{self.parameters.token_prefix}_" if self.parameters.token_prefix else ""
        if family in {"jsapi", "wx_card"}:
            return self.chance.text(86)
        return prefix + self.chance.text(length - len(prefix))

    def lifetime_s(self) -> int:
        return self.chance.choice(self.parameters.lifetimes_s)

    def issued(self, generation: Generation, by: Minter) -> None:
        if generation.family in {"classic", "stable"}:
            self._tokens[generation.value] = generation
            if len(self._tokens) > _TOKENS_REMEMBERED:
                self._tokens.popitem(last=False)
        self.ledger.token_issued(generation, by)

    def ended(self, generation: Generation, now: float) -> None:
        self.ledger.token_ended(generation, now)
