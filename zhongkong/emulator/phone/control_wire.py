"""The control call that shows the wire as it happens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from pydantic import Field

from zhongkong.emulator.callbacks.bodies import Waiting
from zhongkong.emulator.control_io import Answer, checked
from zhongkong.emulator.phone.exchanges import exchange
from zhongkong.emulator.phone.wiretap import EXCHANGES_HELD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.callbacks.office import PostOffice
    from zhongkong.emulator.phone.wiretap import Exchange, Wiretap
    from zhongkong.emulator.world import World

_PAUSE_S: Final = 0.05
"""Between two looks at what may concern others: under load there are thousands a second."""


class WireQuestion(Waiting):
    """Query of GET wire. `life` is that of the last answer; with another one all begins anew."""

    appid: str | None = None
    user: str | None = None
    after: int = Field(default=0, ge=0)
    life: int | None = None
    count: int = Field(default=100, ge=1, le=EXCHANGES_HELD)


class Wire:
    """The call, and the readers who wait for it."""

    def __init__(self, world: World, office: PostOffice, tap: Wiretap) -> None:
        self._world = world
        self._office = office
        self._tap = tap
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, "/wire"): self.wire,
        }

    async def wire(self, http: web.Request) -> Answer:
        question = checked(WireQuestion.model_validate, dict(http.query))
        found = self._found(question)
        if question.wait_s and not found and self._is_current(question):
            await self._news(question)
            found = self._found(question)
        # The newest: who falls behind a load by more than this has missed them anyway.
        page = found[-question.count :]
        return {
            "exchanges": [exchange(each) for each in page],
            "left_off": len(found) - len(page),
            "next": self._tap.revision,
            "life": self._tap.life,
        }

    def _found(self, question: WireQuestion) -> list[Exchange]:
        return [
            each
            for each in self._tap.after(question.after if self._is_current(question) else 0)
            if question.appid in {None, each.push.appid}
            and question.user in {None, each.push.openid}
        ]

    def _is_current(self, question: WireQuestion) -> bool:
        return question.life in {None, self._tap.life}

    async def _news(self, question: WireQuestion) -> None:
        """Until something that was asked for happens, or everything begins anew."""
        news = asyncio.Event()
        # As work of the office, so that a reset and the emulator's end send the reader away.
        waiting = self._office.run("wire reader", self._heard(question, news))
        self._tap.listeners.add(news.set)
        try:
            await asyncio.wait({waiting}, timeout=question.wait_s)
        finally:
            self._tap.listeners.discard(news.set)
            waiting.cancel()

    async def _heard(self, question: WireQuestion, news: asyncio.Event) -> None:
        while True:
            await news.wait()
            if self._found(question):
                return
            news.clear()
            await self._world.time.sleep(_PAUSE_S)
