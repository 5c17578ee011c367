"""What WeChat takes as a passive reply, and what the user then sees (4.8, P10). Pure.

Written from WeChat's side and apart from what our own services use to make replies, so that a
mistake of theirs is found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zhongkong.emulator.media import MediaShelf
    from zhongkong.emulator.parameters import Parameters

_ONE_ARTICLE: Final = frozenset(
    {"text", "image", "voice", "video", "shortvideo", "link", "location"}
)
_ARTICLES_AT_MOST: Final = 8


class BadReply(ValueError):
    """WeChat refuses it. `names`: because sender and receiver are not the pushed ones, swapped."""

    def __init__(self, problem: str, *, names: bool = False) -> None:
        super().__init__(problem)
        self.names = names


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a reply has to fit to."""

    openid: str
    original_id: str
    msg_type: str
    rules: Parameters
    media: MediaShelf
    now: float


def shown(fields: Mapping[str, Any], to: Answered) -> dict[str, Any]:
    """The reply as the user's phone gets it, with `type`. Raises BadReply."""
    _check_names(fields, to)
    created = fields.get("CreateTime")
    if not (str(created).isascii() and str(created).isdigit()):
        raise BadReply("CreateTime is a whole number of seconds")
    kind = fields.get("MsgType")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise BadReply(f"MsgType is one of {', '.join(_READERS)}")
    return {"type": kind, **reader(fields, to)}


def _check_names(fields: Mapping[str, Any], to: Answered) -> None:
    if fields.get("ToUserName") != to.openid:
        raise BadReply("ToUserName is the user's openid: the FromUserName of the push", names=True)
    if fields.get("FromUserName") != to.original_id:
        raise BadReply(
            "FromUserName is the account's original id: the ToUserName of the push", names=True
        )


def _text(fields: Mapping[str, Any], to: Answered) -> dict[str, Any]:
    content = _needed(fields, "Content")
    if len(content.encode("utf-8", "surrogatepass")) > to.rules.reply_text_bytes:
        raise BadReply(f"Content has at most {to.rules.reply_text_bytes} bytes in UTF-8")
    return {"content": content}


def _media(element: str) -> Callable[[Mapping[str, Any], Answered], dict[str, Any]]:
    kind = element.lower()

    def read(fields: Mapping[str, Any], to: Answered) -> dict[str, Any]:
        return {"media_id": _media_id(_nested(fields, element), element, "MediaId", {kind}, to)}

    return read


def _video(fields: Mapping[str, Any], to: Answered) -> dict[str, Any]:
    video = _nested(fields, "Video")
    return {
        "media_id": _media_id(video, "Video", "MediaId", {"video"}, to),
        "title": _optional(video, "Title"),
        "description": _optional(video, "Description"),
    }


def _music(fields: Mapping[str, Any], to: Answered) -> dict[str, Any]:
    music = _nested(fields, "Music")
    return {
        "thumb_media_id": _media_id(music, "Music", "ThumbMediaId", {"thumb", "image"}, to),
        "title": _optional(music, "Title"),
        "description": _optional(music, "Description"),
        "music_url": _optional(music, "MusicUrl"),
        "hq_music_url": _optional(music, "HQMusicUrl"),
    }


def _news(fields: Mapping[str, Any], to: Answered) -> dict[str, Any]:
    articles = fields.get("Articles")
    if isinstance(articles, dict):
        articles = articles.get("item")
        articles = [articles] if isinstance(articles, dict) else articles
    if not isinstance(articles, list) or not articles:
        raise BadReply("Articles holds one item or more")
    if str(fields.get("ArticleCount")) != str(len(articles)):
        raise BadReply(f"ArticleCount is the number of items: {len(articles)}")
    read = [_article(each, place) for place, each in enumerate(articles)]
    at_most = 1 if to.msg_type in _ONE_ARTICLE else _ARTICLES_AT_MOST
    if len(read) > at_most and to.rules.reply_surplus_articles == "refused":
        raise BadReply(f"Articles holds at most {at_most} in answer to {to.msg_type}")
    return {"articles": read[:at_most]}


def _article(article: Any, place: int) -> dict[str, str]:
    if not isinstance(article, dict):
        raise BadReply(f"Articles.item[{place}] has Title, Description, PicUrl and Url")
    for name in ("Title", "Url"):
        if not article.get(name) or not isinstance(article[name], str):
            raise BadReply(f"Articles.item[{place}].{name} is needed")
    return {
        "title": article["Title"],
        "description": _optional(article, "Description"),
        "pic_url": _optional(article, "PicUrl"),
        "url": article["Url"],
    }


def _transfer(fields: Mapping[str, Any], _: Answered) -> dict[str, Any]:
    if "TransInfo" not in fields:
        return {"kf_account": None}
    return {"kf_account": _needed(_nested(fields, "TransInfo"), "KfAccount")}


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], Answered], dict[str, Any]]]] = (
    MappingProxyType(
        {
            "text": _text,
            "image": _media("Image"),
            "voice": _media("Voice"),
            "video": _video,
            "music": _music,
            "news": _news,
            "transfer_customer_service": _transfer,
        }
    )
)


def _nested(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise BadReply(f"{name} is needed, with elements in it")
    return value


def _needed(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadReply(f"{name} is needed")
    return value


def _optional(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise BadReply(f"{name} is a text")
    return value


def _media_id(
    fields: Mapping[str, Any], element: str, name: str, kinds: set[str], to: Answered
) -> str:
    media_id = fields.get(name)
    if not isinstance(media_id, str) or not media_id:
        raise BadReply(f"{element}.{name} is needed")
    if to.rules.reply_media_checked:
        item = to.media.sendable(media_id, to.now)
        if item is None or item.kind not in kinds:
            raise BadReply(f"{element}.{name} names no {' or '.join(sorted(kinds))} of the account")
    return media_id
