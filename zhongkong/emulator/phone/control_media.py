"""The control calls about what a phone shows of an account's media, and the pictures it sends."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from aiohttp import hdrs, web

from zhongkong.emulator.contents import BytesContent
from zhongkong.emulator.control_io import Answer, BadCall
from zhongkong.emulator.control_people import ACCOUNT, known_user
from zhongkong.emulator.media import TEMPORARY_LIFE_S, MediaItem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.world import World

_SIGNS: Final = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}
_SHOWN: Final = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}
_PICTURE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
_ARTICLE_FIELDS: Final = ("title", "author", "digest", "thumb_media_id")


class Media:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, world: World, account: Callable[[str], AccountState]) -> None:
        self._world = world
        self._account = account
        self.calls: dict[
            tuple[str, str], Callable[[web.Request], Awaitable[Answer | web.Response]]
        ] = {
            (hdrs.METH_POST, f"{ACCOUNT}/users/{{openid}}/pictures"): self.take_picture,
            (hdrs.METH_GET, f"{ACCOUNT}/media/{{media_id}}"): self.picture,
            (hdrs.METH_GET, f"{ACCOUNT}/material/{{media_id}}"): self.material,
        }

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

    async def material(self, http: web.Request) -> Answer:
        """What a menu button that names material leads to, without the contents of files."""
        account = self._account(http.match_info["appid"])
        item = account.media.permanent(http.match_info["media_id"])
        if item is None:
            raise BadCall(f"{account.appid} has no material of this media id", 404)
        return {
            "kind": item.kind,
            "title": item.title,
            "description": item.introduction,
            "articles": [_article(each) for each in item.articles],
        }


def _article(of: dict[str, Any]) -> dict[str, str]:
    return {name: str(of.get(name) or "") for name in _ARTICLE_FIELDS}


async def _read(http: web.Request) -> bytes:
    try:
        return await http.read()
    except web.HTTPRequestEntityTooLarge:
        raise BadCall("a picture has at most 1 MiB", 413) from None
