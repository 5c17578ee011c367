"""A replica's line to WeChat: the emulator's own faults, carried out on virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from token_service.outcome import Outcome, Unknown, Unsent
from token_service.slot import Call, Verdict
from token_service.upstream import (
    PROBE_PATH,
    STABLE_TOKEN_PATH,
    TOKEN_PATH,
    probe_verdict,
    token_outcome,
)
from zhongkong.emulator.request import ApiRequest
from zhongkong.wechat.answer import answer_of

if TYPE_CHECKING:
    from tests.simulation.door import Door
    from tests.token_service.scenarios.stage import Stage
    from token_service.plan import AccountPlan
    from zhongkong.emulator.refusal import Payload

LATENCY_S = 0.1
PROBE_DEADLINE_S = 5.0


class Line:
    """An `Upstream`. What was sent takes effect in its time, also when its caller is dead."""

    def __init__(self, stage: Stage, door: Door, address: str) -> None:
        self.address = address
        self._stage = stage
        self._door = door

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        await self._door.pass_through()
        if self._stage.weather.wechat_away:
            return Unsent("connection refused")
        self._stage.calls_under_way += 1
        self._stage.most_calls_at_once = max(
            self._stage.most_calls_at_once, self._stage.calls_under_way
        )
        try:
            async with asyncio.timeout(deadline_s):
                payload = await self._exchange(self._token_request(plan, call))
        except TimeoutError:
            payload = None
        finally:
            self._stage.calls_under_way -= 1
        await self._door.pass_through()
        answer = None if payload is None else answer_of(payload)
        if answer is None:
            return Unknown("no answer came")
        return token_outcome(answer, TOKEN_PATH if call is Call.CLASSIC else STABLE_TOKEN_PATH)

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        await self._door.pass_through()
        if self._stage.weather.wechat_away:
            return Verdict.INCONCLUSIVE
        query = {"access_token": value}
        request = ApiRequest(method="GET", path=PROBE_PATH, query=query, peer=self.address)
        try:
            async with asyncio.timeout(PROBE_DEADLINE_S):
                payload = await self._exchange(request)
        except TimeoutError:
            payload = None
        await self._door.pass_through()
        answer = None if payload is None else answer_of(payload)
        return Verdict.INCONCLUSIVE if answer is None else probe_verdict(answer.errcode)

    def _token_request(self, plan: AccountPlan, call: Call) -> ApiRequest:
        fields = {
            "grant_type": "client_credential",
            "appid": plan.slot.appid,
            "secret": plan.secret(),
        }
        if call is Call.CLASSIC:
            return ApiRequest(method="GET", path=TOKEN_PATH, query=fields, peer=self.address)
        body = orjson.dumps({**fields, "force_refresh": call is Call.FORCED})
        return ApiRequest(method="POST", path=STABLE_TOKEN_PATH, body=body, peer=self.address)

    async def _exchange(self, request: ApiRequest) -> Payload | None:
        """WeChat's answer; None when none arrives."""
        loop, model = asyncio.get_running_loop(), self._stage.wechat
        course = model.course(request)
        answered: asyncio.Future[Payload | None] = loop.create_future()

        def arrive(payload: Payload | None) -> None:
            if not answered.done():
                answered.set_result(payload if course.ending == "answer" else None)

        def land() -> None:
            payload = model.perform(request, self._stage.now(), course)
            loop.call_later(course.delay_after_s + LATENCY_S / 2, arrive, payload)

        loop.call_later(course.delay_before_s + LATENCY_S / 2, land)
        return await answered
