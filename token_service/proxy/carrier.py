"""From a call that may leave to WeChat's answer at the caller: token, sending, healing, passing.

Who may call is decided before this, in `service`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service.proxy import refusals
from token_service.proxy.answer import Passed
from token_service.proxy.connections import ANSWER_ERRORS
from token_service.proxy.forward import cause_of
from token_service.proxy.healing import says_dead
from token_service.proxy.paths import PathClass
from token_service.proxy.refusals import Outcome
from token_service.served import NoLiveToken
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.directory import Account
    from token_service.proxy.answer import Answer
    from token_service.proxy.outgoing import Outgoing
    from token_service.proxy.parts import ProxyParts
    from token_service.proxy.refusals import Refusal
    from token_service.served import Served
    from token_service.slot import Slot

WAIT_FOR_TOKEN_S: Final = 5.0
ACCESS_TOKEN: Final = "access_token"


class Carrier:
    """Carries calls out, one at a time for each caller."""

    def __init__(self, parts: ProxyParts) -> None:
        self._parts = parts
        self._silence_s = parts.settings.timeout

    async def answer(self, outgoing: Outgoing, account: Account | None) -> tuple[Answer, Outcome]:
        """WeChat's answer, a small one read whole; to be closed. Raises Refusal.

        A dead token is replaced and the call repeated once, where its body can be sent again.
        """
        if outgoing.ask.path_class is PathClass.APP and account is not None:
            answer, healed = await self._with_token(outgoing, account)
        else:
            secret = account.secret() if account is not None and account.secret else ""
            answer, healed = await self._sent(outgoing, secret), False
        if answer.errcode:
            return answer, Outcome.WECHAT_ERROR
        return answer, Outcome.HEALED if healed else Outcome.PASSED

    async def passed(self, request: web.Request, answer: Answer) -> tuple[Passed, bool]:
        """The answer written to the caller, and whether all of it was. Closes the answer."""
        passed = Passed(answer, request, silence_s=self._silence_s)
        try:
            await passed.send()
        except ConnectionError:
            return passed, False
        finally:
            answer.close()
        return passed, True

    async def live(self, slot: Slot) -> Served:
        """A live token, waited for a little. Raises Refusal."""
        source = self._parts.source
        served = source.peek(slot)
        if served is not None:
            return served
        try:
            async with self._parts.around.room.seat(WAIT_FOR_TOKEN_S + 1.0):
                return await source.get(slot, wait_s=WAIT_FOR_TOKEN_S)
        except (NoLiveToken, StoreUnavailable) as trouble:
            raise no_token(trouble) from None
        except (Problem, TimeoutError):
            raise refusals.undecided() from None

    async def _with_token(self, outgoing: Outgoing, account: Account) -> tuple[Answer, bool]:
        """The answer, and whether a dead token was replaced for it."""
        served = await self.live(account.slots[ACCESS_TOKEN])
        answer = await self._sent(outgoing, served.value)
        if not says_dead(answer.errcode):
            return answer, False
        healer, now = self._parts.healer, self._parts.clock.monotonic()
        with healer.mending(account.name, outgoing.ask.path, served, now) as mending:
            try:
                fresh = await mending.replacement()
            except (NoLiveToken, StoreUnavailable) as trouble:
                if not outgoing.body.repeatable:
                    return answer, False
                raise no_token(trouble) from None
            if fresh is None or not outgoing.body.repeatable:
                return answer, False
            answer = await self._sent(outgoing, fresh.value)
            if says_dead(answer.errcode):
                mending.refused_again(fresh)
            return answer, True

    async def _sent(self, outgoing: Outgoing, value: str) -> Answer:
        """Send once and look into the answer. Raises Refusal."""
        answer = await self._parts.forwarder.send(outgoing.with_credential(value))
        try:
            await answer.peek()
        except BaseException as error:
            answer.close()
            if isinstance(error, TimeoutError):
                raise refusals.too_slow(self._silence_s) from None
            if isinstance(error, ANSWER_ERRORS):
                raise refusals.unseen(cause_of(error)) from None
            raise
        return answer


def no_token(trouble: NoLiveToken | StoreUnavailable) -> Refusal:
    """Why there is no token to call with."""
    if isinstance(trouble, NoLiveToken):
        return refusals.no_live_token(trouble)
    return refusals.undecided()
