"""Whether WeChat would take these buttons, and the first code it would refuse them with. Pure.

The order of the checks is a choice, since WeChat's own is undocumented: all of the first level, the
number of buttons below each, depth, all of the second level, media, mini-programs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from zhongkong.emulator.account import AccountKind, AccountState
from zhongkong.emulator.menu_state import Button, Buttons
from zhongkong.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.parameters import Parameters

_EVENTS: Final = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(_EVENTS, ("key",)),
        "view": ("url",),
        "miniprogram": ("url", "appid", "pagepath"),
        "media_id": ("media_id",),
        "view_limited": ("media_id",),
        "article_id": ("article_id",),
        "article_view_limited": ("article_id",),
    }
)
"""Type → the fields it needs, in the order in which menu/get shows them."""

_MATERIALS: Final = MappingProxyType(
    {
        "media_id": frozenset({"image", "voice", "video", "news"}),
        "view_limited": frozenset({"news"}),
    }
)
_KEY_BYTES: Final = 128
_URL_BYTES: Final = 1024
_ID_BYTES: Final = 128
_APPID: Final = re.compile(r"wx[0-9a-zA-Z]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one level of the menu refuses with, and how long its names may be."""

    name_bytes: int
    name: int
    kind: int
    key: int
    url: int
    domain: int
    not_for_you: int


_TOP: Final = Level(
    name_bytes=16, name=40018, kind=40017, key=40019, url=40020, domain=40055, not_for_you=40119
)
_SUB: Final = Level(
    name_bytes=60, name=40025, kind=40024, key=40026, url=40027, domain=40054, not_for_you=40120
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """`no_kind` replaces the code of a leaf without a type, where that is another one."""

    account: AccountState
    rules: Parameters
    no_kind: int | None = None

    def buttons(self, sent: object) -> Buttons:
        """The menu as it will be kept. Raises Refusal with the first code."""
        if not isinstance(sent, list) or not 1 <= len(sent) <= 3:
            raise Refusal(40016)
        for each in sent:
            self._one(each, _TOP)
        below = [_children(each) for each in sent]
        for top, subs in zip(sent, below, strict=True):
            if len(subs) > 5 or (not subs and not top.get("type")):
                raise Refusal(40023)
        every_sub = [each for subs in below for each in subs]
        if any(isinstance(each, dict) and _children(each) for each in every_sub):
            raise Refusal(40022)
        for each in every_sub:
            self._one(each, _SUB)
        kept = tuple(_kept(each) for each in sent)
        leaves = [leaf for button in kept for leaf in button.leaves()]
        for leaf in leaves:
            self._media(leaf)
        for leaf in leaves:
            self._mini_program(leaf)
        return kept

    def _one(self, button: Any, level: Level) -> None:
        if not isinstance(button, dict):
            raise Refusal(47001)
        name = button.get("name")
        if not _sized(name, level.name_bytes):
            raise Refusal(level.name)
        # An empty `sub_button` and no type: a parent without children, which has a code of its own.
        childless_parent = "sub_button" in button and not button.get("type") and level is _TOP
        if _children(button) or childless_parent:
            return
        kind = button.get("type")
        if not kind and self.no_kind is not None:
            raise Refusal(self.no_kind)
        if not isinstance(kind, str) or kind not in _FIELDS:
            raise Refusal(level.kind)
        unverified = self.account.kind is AccountKind.SERVICE
        if kind in self.rules.retired_menu_types or (kind == "miniprogram" and unverified):
            raise Refusal(level.not_for_you)
        self._fields(button, _FIELDS[kind], level)

    def _fields(self, button: dict[str, Any], needed: tuple[str, ...], level: Level) -> None:
        if "key" in needed and not _sized(button.get("key"), _KEY_BYTES):
            raise Refusal(level.key)
        if "url" in needed:
            url = button.get("url")
            if not _sized(url, _URL_BYTES):
                raise Refusal(level.url)
            if host_of(str(url)) is None:
                raise Refusal(level.domain)

    def _media(self, leaf: Button) -> None:
        needed = _FIELDS[leaf.kind][0]
        if needed not in {"media_id", "article_id"}:
            return
        value = leaf.field(needed)
        if not _sized(value, _ID_BYTES):
            raise Refusal(40118)
        if needed == "media_id":
            material = self.account.media.permanent(value)
            if material is None:
                raise Refusal(40007)
            if material.kind not in _MATERIALS[leaf.kind]:
                raise Refusal(40121)

    def _mini_program(self, leaf: Button) -> None:
        if leaf.kind != "miniprogram":
            return
        appid, linked = leaf.field("appid"), self.account.mini_programs
        well_formed = _APPID.fullmatch(appid) is not None
        if well_formed and linked is not None and appid not in linked:
            raise Refusal(45064)
        if not _sized(leaf.field("pagepath"), _URL_BYTES):
            raise Refusal(40165)
        if not well_formed:
            raise Refusal(40166)


def host_of(url: str) -> str | None:
    """Where a web address leads; None for what is no web address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme.lower() in {"http", "https"} else None


def _children(button: Mapping[str, Any]) -> list[Any]:
    """Anything but an array, as the wrapped form of selfmenu_info, counts as too many."""
    sent = button.get("sub_button")
    if sent is None:
        return []
    return sent if isinstance(sent, list) else [None] * 6


def _sized(value: object, at_most: int) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= at_most


def _kept(button: Mapping[str, Any]) -> Button:
    children = _children(button)
    if children:
        return Button(button["name"], children=tuple(_kept(each) for each in children))
    kind = button["type"]
    fields = {name: button.get(name) for name in _FIELDS[kind]}
    texts = tuple((name, value if isinstance(value, str) else "") for name, value in fields.items())
    return Button(button["name"], kind, texts)
