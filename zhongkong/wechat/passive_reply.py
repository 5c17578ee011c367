"""Passive replies: read from JSON, checked against WeChat's limits, rendered for WeChat. PURE.

What kinds there are stands in `reply_kinds`. Sealing the rendered body lives in `envelope`, the
wrapping in `push`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from zhongkong.wechat.push import render
from zhongkong.wechat.push_xml import is_carried
from zhongkong.wechat.reply_kinds import (
    MAX_ARTICLES,
    MAX_TEXT_BYTES,
    SINGLE_ARTICLE_FOR,
    Article,
    ImageReply,
    MusicReply,
    NewsReply,
    PassiveReply,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from zhongkong.wechat.push import BodyFormat

__all__ = [
    "MAX_ARTICLES",
    "MAX_TEXT_BYTES",
    "SINGLE_ARTICLE_FOR",
    "Article",
    "ImageReply",
    "MusicReply",
    "NewsReply",
    "PassiveReply",
    "ReplyRefused",
    "TextReply",
    "TransferReply",
    "VideoReply",
    "VoiceReply",
    "check_fit",
    "read_reply",
    "render_reply",
]


class ReplyRefused(ValueError):
    """A reply that WeChat wouldn't take. `path` is the place; the message says what would do."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path or 'the reply'} {expected}")
        self.path = path


def read_reply(value: Any) -> PassiveReply:
    """The reply in a JSON value with `type` and that type's fields. Raises ReplyRefused."""
    if not isinstance(value, Mapping):
        raise ReplyRefused("", "has to be an object with `type`")
    name = value.get("type")
    reader = _READERS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise ReplyRefused("type", f"has to be one of {', '.join(_READERS)}")
    fields = _Fields(value, "", known={"type"})
    reply = reader(fields)
    fields.refuse_others()
    return reply


def check_fit(reply: PassiveReply, answering: str) -> None:
    """Refuse a reply that WeChat wouldn't take in answer to the MsgType `answering`.

    Raises ReplyRefused for more articles than the one that ordinary messages may be answered with.
    """
    if isinstance(reply, NewsReply) and answering in SINGLE_ARTICLE_FOR and len(reply.articles) > 1:
        raise ReplyRefused(
            "articles", f"has to hold one article: WeChat takes no more in answer to {answering}"
        )


def render_reply(
    reply: PassiveReply, *, to_user: str, from_user: str, create_time: int, form: BodyFormat
) -> bytes:
    """The body that WeChat reads, not sealed. `to_user` is the openid, `create_time` in seconds."""
    fields = {"ToUserName": to_user, "FromUserName": from_user, "CreateTime": create_time}
    return render(fields | _content(reply), form)


def _content(reply: PassiveReply) -> dict[str, Any]:
    match reply:
        case TextReply(content):
            # XML makes one of both anyway, and JSON shall say the same.
            return {"MsgType": "text", "Content": content.replace("\r\n", "\n").replace("\r", "\n")}
        case ImageReply(media_id):
            return {"MsgType": "image", "Image": {"MediaId": media_id}}
        case VoiceReply(media_id):
            return {"MsgType": "voice", "Voice": {"MediaId": media_id}}
        case VideoReply():
            return {"MsgType": "video", "Video": _video(reply)}
        case MusicReply():
            return {"MsgType": "music", "Music": _music(reply)}
        case NewsReply(articles):
            count = len(articles)
            shown = [_article(article) for article in articles]
            return {"MsgType": "news", "ArticleCount": count, "Articles": shown}
        case TransferReply(kf_account):
            chosen = {} if kf_account is None else {"TransInfo": {"KfAccount": kf_account}}
            return {"MsgType": "transfer_customer_service"} | chosen


def _video(reply: VideoReply) -> dict[str, str]:
    optional = {"Title": reply.title, "Description": reply.description}
    return {"MediaId": reply.media_id} | _filled(optional)


def _music(reply: MusicReply) -> dict[str, str]:
    optional = {
        "Title": reply.title,
        "Description": reply.description,
        "MusicUrl": reply.music_url,
        "HQMusicUrl": reply.hq_music_url,
    }
    return _filled(optional) | {"ThumbMediaId": reply.thumb_media_id}


def _article(article: Article) -> dict[str, str]:
    return {
        "Title": article.title,
        "Description": article.description,
        "PicUrl": article.pic_url,
        "Url": article.url,
    }


def _filled(optional: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in optional.items() if text}


class _Fields:
    """The fields of one JSON object, read one by one, so that the unread ones can be refused."""

    def __init__(self, value: Mapping[str, Any], path: str, *, known: set[str]) -> None:
        self._value = value
        self._path = path
        self._known = known

    def needed(self, name: str) -> str:
        text = self.optional(name)
        if not text:
            raise ReplyRefused(self._path + name, "is missing: it has to be text")
        return text

    def optional(self, name: str) -> str:
        text = self.raw(name)
        if text is None:
            return ""
        path = self._path + name
        if not isinstance(text, str):
            raise ReplyRefused(path, "has to be text")
        if not is_carried(text):
            raise ReplyRefused(path, "has to be text without control characters")
        if len(text.encode()) > MAX_TEXT_BYTES:
            raise ReplyRefused(path, f"has to be at most {MAX_TEXT_BYTES} bytes in UTF-8")
        return text

    def raw(self, name: str) -> Any:
        self._known.add(name)
        return self._value.get(name)

    def refuse_others(self) -> None:
        for name in self._value:
            if name not in self._known:
                allowed = ", ".join(sorted(self._known))
                shown = "".join(c if c.isprintable() else "?" for c in str(name)[:64])
                raise ReplyRefused(self._path + shown, f"is unknown; allowed are {allowed}")


def _read_video(fields: _Fields) -> VideoReply:
    return VideoReply(
        fields.needed("media_id"), fields.optional("title"), fields.optional("description")
    )


def _read_music(fields: _Fields) -> MusicReply:
    return MusicReply(
        fields.needed("thumb_media_id"),
        fields.optional("title"),
        fields.optional("description"),
        fields.optional("music_url"),
        fields.optional("hq_music_url"),
    )


def _read_news(fields: _Fields) -> NewsReply:
    articles = fields.raw("articles")
    if not isinstance(articles, list | tuple) or not 1 <= len(articles) <= MAX_ARTICLES:
        raise ReplyRefused("articles", f"has to be a list of 1 to {MAX_ARTICLES} articles")
    return NewsReply(tuple(_read_article(one, index) for index, one in enumerate(articles)))


def _read_article(value: Any, index: int) -> Article:
    path = f"articles[{index}]"
    if not isinstance(value, Mapping):
        raise ReplyRefused(path, "has to be an object with title, description, pic_url and url")
    fields = _Fields(value, f"{path}.", known=set())
    article = Article(
        fields.needed("title"),
        fields.optional("description"),
        fields.optional("pic_url"),
        fields.needed("url"),
    )
    fields.refuse_others()
    return article


_READERS: Final[dict[str, Callable[[_Fields], PassiveReply]]] = {
    "text": lambda fields: TextReply(fields.needed("content")),
    "image": lambda fields: ImageReply(fields.needed("media_id")),
    "voice": lambda fields: VoiceReply(fields.needed("media_id")),
    "video": _read_video,
    "music": _read_music,
    "news": _read_news,
    "transfer_customer_service": lambda fields: TransferReply(
        fields.optional("kf_account") or None
    ),
}
