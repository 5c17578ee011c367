"""From a call that may leave to WeChat's answer at the caller: token, sending, healing, passing.

Who may call is decided before this, in `service`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service.proxy import refusals
from token_service.proxy.answer_errors import ANSWER_ERRORS, cause_of
from token_service.proxy.healing import says_dead
from token_service.proxy.passed import Passed
from token_service.proxy.paths import PathClass
from token_service.proxy.refusal import Outcome
from token_service.served import NoLiveToken
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from aiohttp import web

    from token_service.directory import Account
    from token_service.proxy.answer import Answer
    from token_service.proxy.bookkeeping import Note
    from token_service.proxy.outgoing import Outgoing
    from token_service.proxy.parts import ProxyParts
    from token_service.proxy.refusal import Refusal
    from token_service.served import Served
    from token_service.slot import Slot

WAIT_FOR_TOKEN_S: Final = 5.0
ACCESS_TOKEN: Final = "access_token"


class Carrier:
    """Carries calls out, one at a time for each caller."""

    def __init__(self, parts: ProxyParts) -> None:
        self._parts = parts
        self._silence_s = parts.settings.timeout

    async def carried(self, request: web.Request, note: Note, outgoing: Outgoing) -> Passed:
        """Send the call, and write WeChat's answer to the caller. Raises Refusal.

        A dead token is replaced and the call repeated once, where its body can be sent again.
        """
        account, healed, send = note.who.account, False, self._parts.forwarder.send
        if outgoing.ask.path_class is PathClass.APP and account is not None:
            slot = account.slots[ACCESS_TOKEN]
            served = self._parts.source.peek(slot) or await self.live(slot)
            answer = await send(outgoing.with_credential(served.value))
            if not answer.whole:
                await self._look_into(answer)
            if answer.errcode and says_dead(answer.errcode):
                answer, healed = await self._mended(outgoing, account, served, answer)
        else:
            secret = account.secret() if account is not None and account.secret else ""
            answer = await send(outgoing.with_credential(secret))
            await self._look_into(answer)
        passed = Passed(answer, request, silence_s=self._silence_s)
        if await passed.send():
            outcome = Outcome.HEALED if healed else Outcome.PASSED
            note.outcome = Outcome.WECHAT_ERROR if answer.errcode else outcome
        return passed

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

    async def _mended(
        self, outgoing: Outgoing, account: Account, served: Served, answer: Answer
    ) -> tuple[Answer, bool]:
        """What this token was refused for, repeated with another; and whether it was repeated."""
        healer, now = self._parts.healer, self._parts.clock.monotonic()
        with healer.mending(account.name, outgoing.ask.path, served, now) as mending:
            try:
                fresh = await mending.replacement()
            except (NoLiveToken, StoreUnavailable) as trouble:
                if not outgoing.repeatable:
                    return answer, False
                raise no_token(trouble) from None
            if fresh is None or not outgoing.repeatable:
                return answer, False
            answer = await self._parts.forwarder.send(outgoing.with_credential(fresh.value))
            await self._look_into(answer)
            if says_dead(answer.errcode):
                mending.refused_again(fresh)
            return answer, True

    async def _look_into(self, answer: Answer) -> None:
        """Read a small answer whole. Raises Refusal when it breaks off."""
        try:
            await answer.peek()
        except BaseException as error:
            answer.close()
            if isinstance(error, TimeoutError):
                raise refusals.too_slow(self._silence_s) from None
            if isinstance(error, ANSWER_ERRORS):
                raise refusals.unseen(cause_of(error)) from None
            raise


def no_token(trouble: NoLiveToken | StoreUnavailable) -> Refusal:
    """Why there is no token to call with."""
    if isinstance(trouble, NoLiveToken):
        return refusals.no_live_token(trouble)
    return refusals.undecided()
