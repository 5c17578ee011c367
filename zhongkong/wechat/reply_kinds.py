"""What an account may say in the answer to a callback, and WeChat's limits to it. PURE.

Source: WeChat's documentation, "Passive replies to users' messages"; transfer_customer_service
from "Forwarding messages to customer service". Reading and rendering: `passive_reply`. What a reply
says is in no repr.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_TEXT_BYTES: Final = 2048
"""UTF-8 bytes of a text reply. Observed, not documented; other texts are held to it as well."""

MAX_ARTICLES: Final = 8
"""Articles of a news reply to an event."""

SINGLE_ARTICLE_FOR: Final = frozenset(
    {"text", "image", "voice", "video", "shortvideo", "location", "link"}
)
"""MsgTypes that may be answered with one article only, since 2018-10-12."""


@dataclass(frozen=True, slots=True, repr=False)
class TextReply:
    content: str


@dataclass(frozen=True, slots=True, repr=False)
class ImageReply:
    media_id: str


@dataclass(frozen=True, slots=True, repr=False)
class VoiceReply:
    media_id: str


@dataclass(frozen=True, slots=True, repr=False)
class VideoReply:
    media_id: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class MusicReply:
    thumb_media_id: str
    title: str = ""
    description: str = ""
    music_url: str = ""
    hq_music_url: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Article:
    title: str
    description: str
    pic_url: str
    url: str


@dataclass(frozen=True, slots=True, repr=False)
class NewsReply:
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True, repr=False)
class TransferReply:
    """Hands the conversation to customer service, or to one account of it."""

    kf_account: str | None = None


PassiveReply: TypeAlias = (
    TextReply | ImageReply | VoiceReply | VideoReply | MusicReply | NewsReply | TransferReply
)
