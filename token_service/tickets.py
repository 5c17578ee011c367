"""Tickets: fetched with the account's access token, which is mended once when it turns out dead.

A ticket is not known to die with its token (wechat-platform 1.4), so each keeps its own expiry. No
call tells a living ticket from a dead one; the platform gives the same ticket as long as it counts,
so asking again is the probe.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from token_service.outcome import Denied, Minted, Outcome, Unknown, Unsent
from token_service.served import NoLiveToken
from token_service.slot import Call, Kind, Slot, Verdict
from token_service.upstream import denied_or_unknown, lifetime_of, probe_verdict
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.wechat.errors import NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.flight import Upstream
    from token_service.plan import AccountPlan
    from token_service.served import Rejection, Served
    from zhongkong.wechat.answer import Answer
    from zhongkong.wechat.transport import WeChatTransport

TICKET_PATH: Final = "/cgi-bin/ticket/getticket"
_TYPES: Final = {Kind.JSAPI_TICKET: "jsapi", Kind.WX_CARD_TICKET: "wx_card"}


class AccessTokens(Protocol):
    """Where a ticket's access token comes from: the rotator itself."""

    async def get(self, slot: Slot, *, wait_s: float) -> Served:
        """A live token. Raises NoLiveToken."""

    async def reject(self, slot: Slot, version: str, *, evidence: bool) -> Rejection:
        """WeChat refused this version. Raises NoLiveToken."""


class UpstreamByKind:
    """Access tokens come from their endpoints, tickets from an access token."""

    def __init__(self, tokens: Upstream, tickets: Upstream) -> None:
        self._tokens = tokens
        self._tickets = tickets

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        """Ask for what this plan keeps."""
        return await self._of(plan).fetch(plan, call, deadline_s=deadline_s)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        """Ask whether it is alive."""
        return await self._of(plan).probe(plan, value)

    def _of(self, plan: AccountPlan) -> Upstream:
        return self._tickets if plan.slot.kind.is_ticket else self._tokens


class TicketUpstream:
    """Fetches tickets. A dead access token is replaced and the call repeated, once.

    `tokens` is asked at each call, for the rotator that keeps them is made after its upstream.
    """

    def __init__(self, transport: WeChatTransport, tokens: Callable[[], AccessTokens]) -> None:
        self._transport = transport
        self._tokens = tokens

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:  # noqa: ARG002 - Upstream
        """Ask for the ticket of this plan's kind; `deadline_s` bounds all steps together."""
        try:
            async with asyncio.timeout(deadline_s):
                return await self._fetch(plan, deadline_s)
        except TimeoutError:
            return Unknown(f"{TICKET_PATH} gave no ticket within {deadline_s:.0f} s")
        except (NoLiveToken, StoreUnavailable) as error:
            return Unsent(f"{TICKET_PATH} needs an access token: {error}")
        except NotSent as error:
            return Unsent(str(error))
        except OutcomeUnknown as error:
            return Unknown(str(error))

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        """Ask again: the platform gives the same ticket as long as it counts."""
        outcome = await self.fetch(plan, Call.TICKET, deadline_s=plan.policy.call_deadline_s)
        if isinstance(outcome, Minted):
            return Verdict.ALIVE if outcome.value == value else Verdict.DEAD
        return Verdict.INCONCLUSIVE

    async def _fetch(self, plan: AccountPlan, deadline_s: float) -> Outcome:
        tokens = self._tokens()
        slot = Slot(plan.slot.appid, Kind.ACCESS_TOKEN, plan.slot.mode)
        served = await tokens.get(slot, wait_s=deadline_s)
        answer = await self._call(plan, served, deadline_s)
        if probe_verdict(answer.errcode) is Verdict.DEAD:
            served = (await tokens.reject(slot, served.version, evidence=True)).served
            answer = await self._call(plan, served, deadline_s)
        return _ticket_outcome(answer, served.version)

    async def _call(self, plan: AccountPlan, served: Served, deadline_s: float) -> Answer:
        return await self._transport.call(
            "GET",
            TICKET_PATH,
            params={"access_token": served.value, "type": _TYPES[plan.slot.kind]},
            deadline_s=deadline_s,
        )


def _ticket_outcome(answer: Answer, made_with: str) -> Outcome:
    refusal: Denied | Unknown | None = denied_or_unknown(answer, TICKET_PATH)
    if refusal is not None:
        return refusal
    value, life_s = answer.payload.get("ticket"), lifetime_of(answer)
    if not isinstance(value, str) or not value or life_s is None:
        return Unknown(f"{TICKET_PATH} answered without a usable ticket and expires_in")
    return Minted(value, life_s, made_with)
