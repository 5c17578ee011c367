"""A replica's way to WeChat: what was sent takes effect in its own time, whoever waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from token_service.outcome import Outcome, Unknown, Unsent
from token_service.slot import Call, Verdict
from token_service.upstream import (
    PROBE_PATH,
    STABLE_TOKEN_PATH,
    TOKEN_PATH,
    probe_verdict,
    token_outcome,
)
from zhongkong.wechat.answer import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.chance import Random
    from tests.simulation.door import Door, Weather
    from tests.simulation.judge import Judge
    from token_service.plan import AccountPlan
    from zhongkong.emulator.model import WeChatModel
    from zhongkong.emulator.refusal import Payload

_PROBE_DEADLINE_S = 5.0


class WeChatDoor:
    """An `Upstream` in front of the emulator's model: slow, cut, busy, as the weather says."""

    def __init__(
        self,
        model: WeChatModel,
        door: Door,
        weather: Weather,
        chance: Random,
        judge: Judge,
        replica: str,
        address: str,
    ) -> None:
        self._model = model
        self._door = door
        self._weather = weather
        self._chance = chance
        self._judge = judge
        self._replica = replica
        self._address = address

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        await self._door.pass_through()
        if self._weather.wechat_away or self._hit():
            return Unsent("connection refused")
        self._judge.call_sent(self._replica, plan, call)
        try:
            async with asyncio.timeout(deadline_s):
                payload = await self._carry_out(lambda now: self._mint(plan, call, now))
        except TimeoutError:
            return Unknown("no answer in time")
        finally:
            self._judge.call_over(self._replica)
        await self._door.pass_through()
        if payload is None:
            return Unknown("connection reset")
        answer = answer_of(payload)
        assert answer is not None
        return token_outcome(answer, TOKEN_PATH if call is Call.CLASSIC else STABLE_TOKEN_PATH)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        await self._door.pass_through()
        if self._weather.wechat_away or self._hit():
            return Verdict.INCONCLUSIVE
        try:
            async with asyncio.timeout(_PROBE_DEADLINE_S):
                payload = await self._carry_out(
                    lambda now: self._model.call(PROBE_PATH, value, now, self._address)
                )
        except TimeoutError:
            return Verdict.INCONCLUSIVE
        answer = None if payload is None else answer_of(payload)
        return Verdict.INCONCLUSIVE if answer is None else probe_verdict(answer.errcode)

    def _mint(self, plan: AccountPlan, call: Call, now: float) -> Payload:
        appid, secret = plan.slot.appid, plan.secret()
        if call is Call.CLASSIC:
            return self._model.token(appid, secret, now, self._address)
        return self._model.stable_token(appid, secret, call is Call.FORCED, now, self._address)

    async def _carry_out(self, effect: Callable[[float], Payload]) -> Payload | None:
        """None: the answer was lost. -1 may hide an effect."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Payload | None] = loop.create_future()
        busy_before, busy_after, lost = self._hit(), self._hit(), self._hit()

        def land() -> None:
            busy = {"errcode": -1, "errmsg": "system error"}
            payload = busy if busy_before else effect(self._judge.wall())
            if not answered.done():
                answered.set_result(busy if busy_after else None if lost else payload)

        loop.call_later(self._latency(), land)
        payload = await answered
        await asyncio.sleep(self._latency() / 4)
        return payload

    def _hit(self) -> bool:
        return self._chance.random() < self._weather.wechat_fault

    def _latency(self) -> float:
        return self._chance.uniform(3.0, 14.0) if self._hit() else self._chance.uniform(0.03, 0.4)
