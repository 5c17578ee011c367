"""Real tokens for SDKs whose client's entry says so, and forced refreshes that an SDK asks for.

Who may have them is decided in `sdk_face`, before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.proxy import refusals
from token_service.served import NoLiveToken, TooSoon
from token_service.slot import Kind
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from token_service.clients import Caller
    from token_service.directory import Account
    from token_service.proxy.carrier import Carrier
    from token_service.proxy.parts import ProxyParts
    from token_service.served import Served


class RealTokens:
    """Gives them, and remembers to whom."""

    def __init__(self, parts: ProxyParts, carrier: Carrier) -> None:
        self._source = parts.source
        self._healer = parts.healer
        self._handouts = parts.handouts
        self._carrier = carrier

    async def give(self, caller: Caller, account: Account, peer: str) -> Served:
        """The real token, for a caller at this address. Raises Refusal.

        Asked for again soon, it is suspected: probed, never minted for that.
        """
        served = await self._carrier.live(account.slots[Kind.ACCESS_TOKEN])
        holder = (caller.name, account.name)
        if self._handouts.asks_again(holder, peer, served.version, self._source.now()):
            served = await self._suspected(served)
        self._handouts.note(served.value, holder, peer, self._source.now())
        return served

    async def force(self, caller: Caller, account: Account) -> None:
        """A forced refresh; one that comes too soon refreshes nothing, as at WeChat.

        Raises Refusal.
        """
        slot = account.slots[Kind.ACCESS_TOKEN]
        try:
            await self._source.rotate(slot, reason=f"force_refresh by client {caller.name}")
        except TooSoon:
            return
        except NoLiveToken as trouble:
            raise refusals.no_live_token(trouble) from None
        except StoreUnavailable:
            raise refusals.undecided() from None

    async def _suspected(self, served: Served) -> Served:
        try:
            return (await self._healer.report(served, evidence=False)).served
        except NoLiveToken as trouble:
            raise refusals.no_live_token(trouble) from None
        except StoreUnavailable:
            return served
