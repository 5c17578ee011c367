"""What a message to a user must hold, by its type, and what WeChat refuses about it. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.media import MediaShelf

TEXT_BYTES: Final = 2048

_MEDIA: Final[Mapping[str, Mapping[str, frozenset[str]]]] = MappingProxyType(
    {
        "image": {"media_id": frozenset({"image"})},
        "voice": {"media_id": frozenset({"voice"})},
        "video": {"media_id": frozenset({"video"})},
        "music": {"thumb_media_id": frozenset({"thumb", "image"})},
        "mpnews": {"media_id": frozenset({"news"})},
        "miniprogrampage": {"thumb_media_id": frozenset({"thumb", "image"})},
    }
)
"""Type → its fields that name media → the kinds that are right there."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "music": ("musicurl",),
        "mpnewsarticle": ("article_id",),
        "msgmenu": ("list",),
        "wxcard": ("card_id",),
        "link": ("title", "url"),
        "miniprogrampage": ("title", "pagepath"),
    }
)
_TYPES: Final = frozenset({"text", "news", *_MEDIA, *_NEEDED})


def content_of(
    body: Mapping[str, Any], media: MediaShelf, now: float
) -> tuple[str, dict[str, Any]]:
    """Type and content of the message. Raises Refusal: 40008, 47001, then what its type has."""
    msgtype = body.get("msgtype")
    if not isinstance(msgtype, str) or msgtype not in _TYPES:
        raise Refusal(40008)
    content = body.get(msgtype, {})
    if not isinstance(content, dict):
        raise Refusal(47001)
    if msgtype == "text":
        _check_text(content.get("content"))
    elif msgtype == "news":
        _check_articles(content.get("articles"))
    for name in _NEEDED.get(msgtype, ()):
        if not content.get(name):
            raise Refusal(40035)
    for name, kinds in _MEDIA.get(msgtype, {}).items():
        _check_media(content.get(name), kinds, media, now)
    return msgtype, content


def _check_text(text: object) -> None:
    if text is None or text == "":
        raise Refusal(44004)
    if not isinstance(text, str):
        raise Refusal(47001)
    if len(text.encode()) > TEXT_BYTES:
        raise Refusal(45002)


def _check_articles(articles: object) -> None:
    if not isinstance(articles, list) or not articles:
        raise Refusal(44003)
    if len(articles) > 1:
        raise Refusal(45008)


def _check_media(media_id: object, kinds: frozenset[str], media: MediaShelf, now: float) -> None:
    if not media_id:
        raise Refusal(41006)
    item = media.sendable(media_id, now) if isinstance(media_id, str) else None
    if item is None or item.kind not in kinds:
        raise Refusal(40007)
