"""Permanent material: what menus and messages may refer to for ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from zhongkong.emulator.endpoint import SMALL_BODY, Answer, Endpoint, Visit
from zhongkong.emulator.endpoints.media import (
    AS_TEXT,
    NO_MINI_PROGRAM,
    UPLOAD_AT_MOST,
    file_of,
    image_link,
    item_of,
    kind_wanted,
    sent_file,
    video_link,
)
from zhongkong.emulator.media import MediaItem
from zhongkong.emulator.refusal import OK, Payload, Refusal
from zhongkong.emulator.request import text_field

if TYPE_CHECKING:
    from collections.abc import Callable

_ARTICLES_AT_MOST: Final = 8
_PAGE_AT_MOST: Final = 20


def add(visit: Visit) -> Payload:
    kind = kind_wanted(visit)
    part, suffix = sent_file(visit, kind, too_large=45001)
    title, introduction = _description(visit) if kind == "video" else ("", "")
    media_id = visit.platform.chance.text(64)
    item = item_of(part, suffix, kind, media_id, visit.now, expires_at=None)
    url = image_link(visit, suffix) if kind in {"image", "thumb"} else ""
    return _kept(visit, replace(item, title=title, introduction=introduction, url=url))


def add_news(visit: Visit) -> Payload:
    articles = visit.request.json().get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refusal(44003)
    if len(articles) > _ARTICLES_AT_MOST:
        raise Refusal(45008)
    account, now = visit.recognised(), visit.now
    for each in articles:
        if not isinstance(each, dict) or not isinstance(each.get("title"), str):
            raise Refusal(47001)
        thumb = account.media.permanent(str(each.get("thumb_media_id", "")))
        if thumb is None or thumb.kind not in {"thumb", "image"}:
            raise Refusal(40007)
    item = MediaItem(
        media_id=visit.platform.chance.text(64),
        kind="news",
        filename="",
        created_at=now,
        articles=tuple(articles),
    )
    return _kept(visit, item)


def get(visit: Visit) -> Answer:
    item = _asked_for(visit)
    if item.kind == "news":
        return {"news_item": list(item.articles)}
    if item.kind == "video":
        return {
            "title": item.title,
            "description": item.introduction,
            "down_url": video_link(visit, item),
        }
    return file_of(item)


def delete(visit: Visit) -> Payload:
    item, account = _asked_for(visit), visit.recognised()
    if account.menus.uses_media(item.media_id):
        raise Refusal(48005)
    account.media.remove(item.media_id)
    visit.carried_out("material_deleted", item.media_id)
    return OK


def count(visit: Visit) -> Payload:
    counts = Counter(each.kind for each in visit.recognised().media.materials())
    return {f"{kind}_count": counts[kind] for kind in ("voice", "video", "image", "news")}


def batch_get(visit: Visit) -> Payload:
    body = visit.request.json()
    kind = body.get("type")
    if kind not in {"image", "voice", "video", "news"}:
        raise Refusal(40004)
    offset, wanted = body.get("offset", 0), body.get("count", _PAGE_AT_MOST)
    if not isinstance(offset, int) or not isinstance(wanted, int):
        raise Refusal(47001)
    if offset < 0 or not 1 <= wanted <= _PAGE_AT_MOST:
        raise Refusal(40035)
    matching = [each for each in visit.recognised().media.materials() if each.kind == kind]
    page = matching[offset : offset + wanted]
    return {
        "item": [_listed(each) for each in page],
        "total_count": len(matching),
        "item_count": len(page),
    }


def _kept(visit: Visit, item: MediaItem) -> Payload:
    visit.recognised().media.add(item)
    visit.carried_out("material_added", item.media_id)
    return {"media_id": item.media_id, **({"url": item.url} if item.url else {})}


def _asked_for(visit: Visit) -> MediaItem:
    media_id = text_field(visit.request.json(), "media_id", 41006)
    item = visit.recognised().media.permanent(media_id)
    if item is None:
        raise Refusal(40007)
    return item


def _description(visit: Visit) -> tuple[str, str]:
    """Title and introduction of a video: JSON in the field `description`."""
    parts = [each for each in visit.request.parts() if each.name == "description"]
    try:
        told: Any = orjson.loads(parts[0].text()) if parts else {}
    except orjson.JSONDecodeError:
        raise Refusal(47001) from None
    if not isinstance(told, dict):
        raise Refusal(47001)
    return str(told.get("title", "")), str(told.get("introduction", ""))


def _listed(item: MediaItem) -> Payload:
    if item.kind == "news":
        content = {"news_item": list(item.articles)}
        return {
            "media_id": item.media_id,
            "content": content,
            "update_time": int(item.created_at),
        }
    return {
        "media_id": item.media_id,
        "name": item.filename,
        "update_time": int(item.created_at),
        "url": item.url,
    }


def _posted(name: str, answer: Callable[[Visit], Answer], body_at_most: int) -> Endpoint:
    return Endpoint(
        path=f"/cgi-bin/material/{name}",
        method="POST",
        credential="token",
        answer=answer,
        kinds=NO_MINI_PROGRAM,
        manner=AS_TEXT,
        body_at_most=body_at_most,
    )


ENDPOINTS: Final = (
    _posted("add_material", add, UPLOAD_AT_MOST),
    _posted("add_news", add_news, SMALL_BODY),
    _posted("get_material", get, SMALL_BODY),
    _posted("del_material", delete, SMALL_BODY),
    _posted("batchget_material", batch_get, SMALL_BODY),
    Endpoint(
        path="/cgi-bin/material/get_materialcount",
        method="GET",
        credential="token",
        answer=count,
        kinds=NO_MINI_PROGRAM,
    ),
)
