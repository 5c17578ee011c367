"""Media and material of an account: ids, kinds, limits, lives. Pure state.

Contents may lie in files. What is held is bounded; beyond that the oldest fall out, as if deleted.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from zhongkong.emulator.contents import BytesContent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.contents import Content
    from zhongkong.emulator.refusal import Payload

MediaKind = Literal["image", "voice", "video", "thumb", "news"]

TEMPORARY_LIFE_S: Final = 3 * 86_400.0
_BYTES_HELD: Final = 1024 * 1024 * 1024
_ITEMS_HELD: Final = 10_000
_MIB: Final = 1024 * 1024

LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "image": 10 * _MIB,
        "voice": 2 * _MIB,
        "video": 10 * _MIB,
        "thumb": 64 * 1024,
        "uploadimg": _MIB,
    }
)
"""Bytes of one file by its type; `uploadimg` is the endpoint of that name."""

_IMAGES: Final[Mapping[str, str]] = MappingProxyType(
    {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif"}
)
SUFFIXES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "image": {**_IMAGES, "bmp": "image/bmp"},
        "voice": {"amr": "audio/amr", "mp3": "audio/mpeg", "wma": "audio/x-ms-wma"},
        "video": {"mp4": "video/mp4"},
        "thumb": {"jpg": "image/jpeg", "jpeg": "image/jpeg"},
        "uploadimg": {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"},
    }
)
"""Type → suffix of a file name → Content-Type. The first is taken where a name has no suffix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaItem:
    """`expires_at` None: permanent. News have `articles` and no content."""

    media_id: str
    kind: MediaKind
    filename: str
    created_at: float
    content: Content = field(default_factory=lambda: BytesContent(b""), repr=False)
    content_type: str = "text/plain"
    expires_at: float | None = None
    url: str = ""
    title: str = ""
    introduction: str = ""
    articles: tuple[Payload, ...] = ()

    def alive(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(slots=True)
class MediaShelf:
    """By media id, oldest first."""

    _items: OrderedDict[str, MediaItem] = field(default_factory=OrderedDict)
    _held: int = 0

    def add(self, item: MediaItem) -> None:
        self._items[item.media_id] = item
        self._held += item.content.size
        while self._held > _BYTES_HELD or len(self._items) > _ITEMS_HELD:
            self.remove(next(iter(self._items)))

    def remove(self, media_id: str) -> None:
        self._held -= self._items.pop(media_id).content.size

    def temporary(self, media_id: str, now: float) -> MediaItem | None:
        """None when unknown, over, or permanent."""
        item = self._items.get(media_id)
        return item if item and item.expires_at is not None and item.alive(now) else None

    def permanent(self, media_id: str) -> MediaItem | None:
        item = self._items.get(media_id)
        return item if item and item.expires_at is None else None

    def sendable(self, media_id: str, now: float) -> MediaItem | None:
        """What a message may hold: either sort."""
        return self.permanent(media_id) or self.temporary(media_id, now)

    def materials(self) -> list[MediaItem]:
        """The permanent ones, newest first."""
        return [each for each in reversed(self._items.values()) if each.expires_at is None]
