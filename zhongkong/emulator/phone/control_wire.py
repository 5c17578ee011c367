"""The control calls that the phone page needs beside everybody's: the live wire, and pictures."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import Field

from zhongkong.emulator.callbacks.bodies import Waiting
from zhongkong.emulator.contents import BytesContent
from zhongkong.emulator.control_io import Answer, BadCall, checked
from zhongkong.emulator.control_people import ACCOUNT, known_user
from zhongkong.emulator.media import TEMPORARY_LIFE_S, MediaItem
from zhongkong.emulator.phone.exchanges import exchange
from zhongkong.emulator.phone.wiretap import EXCHANGES_HELD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.office import PostOffice
    from zhongkong.emulator.phone.wiretap import Exchange, Wiretap
    from zhongkong.emulator.world import World

_PAUSE_S: Final = 0.05
"""Between two looks at what may concern others: under load there are thousands a second."""

_SIGNS: Final = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}
_SHOWN: Final = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}
_PICTURE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class WireQuestion(Waiting):
    """Query of GET wire. `life` is that of the last answer; with another one all begins anew."""

    appid: str | None = None
    user: str | None = None
    after: int = Field(default=0, ge=0)
    life: int | None = None
    count: int = Field(default=100, ge=1, le=EXCHANGES_HELD)


class Wire:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(
        self,
        world: World,
        office: PostOffice,
        tap: Wiretap,
        account: Callable[[str], AccountState],
    ) -> None:
        self._world = world
        self._office = office
        self._tap = tap
        self._account = account
        self.calls: dict[
            tuple[str, str], Callable[[web.Request], Awaitable[Answer | web.Response]]
        ] = {
            (hdrs.METH_GET, "/wire"): self.wire,
            (hdrs.METH_POST, f"{ACCOUNT}/users/{{openid}}/pictures"): self.take_picture,
            (hdrs.METH_GET, f"{ACCOUNT}/media/{{media_id}}"): self.picture,
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

    async def take_picture(self, http: web.Request) -> Answer:
        """A picture that the user is about to send; known to media/get for three days."""
        account = self._account(http.match_info["appid"])
        known_user(account, http.match_info["openid"])
        content = await _read(http)
        suffix = next((kind for sign, kind in _SIGNS.items() if content.startswith(sign)), None)
        if suffix is None:
            raise BadCall("the body is a picture: PNG, JPEG or GIF")
        platform, now = self._world.model.platform, self._world.time.now()
        media_id = platform.chance.text(64)
        item = MediaItem(
            media_id=media_id,
            kind="image",
            filename=f"{media_id}.{suffix}",
            created_at=now,
            content=BytesContent(content),
            content_type=_SHOWN[suffix],
            expires_at=now + TEMPORARY_LIFE_S,
        )
        account.media.add(item)
        path = f"/_emulator/accounts/{quote(account.appid, safe='')}/media/{media_id}"
        return {
            "media_id": media_id,
            "pic_url": f"{http.scheme}://{http.host}{path}",
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        }

    async def picture(self, http: web.Request) -> web.Response:
        """What a phone shows of a media id."""
        account = self._account(http.match_info["appid"])
        item = account.media.sendable(http.match_info["media_id"], self._world.time.now())
        if item is None or item.content_type not in _SHOWN.values():
            raise BadCall(f"{account.appid} has no picture of this media id", 404)
        body = await asyncio.to_thread(item.content.read, 0, item.content.size)
        return web.Response(body=body, content_type=item.content_type, headers=_PICTURE_HEADERS)


async def _read(http: web.Request) -> bytes:
    try:
        return await http.read()
    except web.HTTPRequestEntityTooLarge:
        raise BadCall("a picture has at most 1 MiB", 413) from None
