"""The control calls that ask what came of pushes, and what a user sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from zhongkong.emulator.callbacks import bodies, views
from zhongkong.emulator.control_io import Answer, BadCall, checked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.book import PushBook
    from zhongkong.emulator.callbacks.office import PostOffice


class Books:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, office: PostOffice, account: Callable[[str], AccountState]) -> None:
        self._office = office
        self._account = account
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, "/pushes/{id}"): self.push,
            (hdrs.METH_GET, "/callbacks"): self.callbacks,
            (hdrs.METH_GET, "/reconciliation"): self.reconciliation,
            (hdrs.METH_GET, "/accounts/{appid}/users/{openid}/feed"): self.feed,
        }

    async def push(self, http: web.Request) -> Answer:
        push_id = http.match_info["id"]
        found = self._book.pushes.get(push_id)
        if found is None:
            raise BadCall(f"no push {push_id!r}, or it has been forgotten (pushes_held)", 404)
        return views.push(found)

    async def callbacks(self, http: web.Request) -> Answer:
        question = checked(bodies.CallbackQuestion.model_validate, dict(http.query))
        return views.callbacks_page(self._book, question)

    async def reconciliation(self, http: web.Request) -> Answer:
        question = checked(bodies.ReconciliationQuestion.model_validate, dict(http.query))
        return views.reconciliation(self._book, question)

    async def feed(self, http: web.Request) -> Answer:
        account, openid = self._account(http.match_info["appid"]), http.match_info["openid"]
        if account.users.get(openid) is None:
            raise BadCall(f"no user {openid!r} at {account.appid}; a push makes one", 404)
        question = checked(bodies.FeedQuestion.model_validate, dict(http.query))
        if question.wait_s and not account.feeds.after(openid, question.after):
            await self._news_of(account, openid, question.wait_s)
        return views.feed(account.feeds.after(openid, question.after), question.after)

    async def _news_of(self, account: AccountState, openid: str, wait_s: float) -> None:
        """Until something new stands in the user's feed, at most so long."""
        news = asyncio.Event()

        def heard(who: str) -> None:
            if who == openid:
                news.set()

        # As work of the office, so that a reset and the emulator's end send the reader away.
        waiting = self._office.run("feed reader", _heard(news))
        account.feeds.listeners.add(heard)
        try:
            await asyncio.wait({waiting}, timeout=wait_s)
        finally:
            account.feeds.listeners.discard(heard)
            waiting.cancel()

    @property
    def _book(self) -> PushBook:
        return self._office.desk.platform.pushes


async def _heard(news: asyncio.Event) -> None:
    await news.wait()
