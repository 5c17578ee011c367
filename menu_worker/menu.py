"""PURE: menus in their normal form, in which desired and live ones can be compared.

How WeChat's several shapes become this form is in normal_form; what it accepts, in validation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT_TYPES: Final = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(EVENT_TYPES, ("key",)),
        "view": ("url",),
        "miniprogram": ("url", "appid", "pagepath"),
        "media_id": ("media_id",),
        "view_limited": ("media_id",),
        "article_id": ("article_id",),
        "article_view_limited": ("article_id",),
    }
)
"""Type → the fields it needs beside its name, for the types that can be created."""

CONSOLE_TYPES: Final = ("text", "img", "voice", "video", "news")
"""Made in WeChat's web console alone; their values change with every reading."""

RULE_FIELDS: Final = ("tag_id", "client_platform_type")
WITHDRAWN_RULE_FIELDS: Final = ("sex", "country", "province", "city", "language")

_FINGERPRINT_HEX: Final = 16


@dataclass(frozen=True, slots=True)
class Button:
    """A leaf has a type and that type's fields (in the order of FIELDS); a parent has children."""

    name: str
    type: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    children: tuple[Button, ...] = ()

    @property
    def is_parent(self) -> bool:
        return bool(self.children)

    @property
    def target(self) -> str:
        """What it leads to: its first field's value."""
        return self.fields[0][1] if self.fields else ""

    def document(self) -> dict[str, Any]:
        """As menu/create takes it."""
        if self.is_parent:
            return {"name": self.name, "sub_button": [each.document() for each in self.children]}
        return {"type": self.type, "name": self.name, **dict(self.fields)}


@dataclass(frozen=True, slots=True)
class Rule:
    """Whom a conditional menu is for. Fields sorted by name, values as text, none empty."""

    fields: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, str]:
        return dict(self.fields)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.fields)


@dataclass(frozen=True, slots=True)
class Conditional:
    """A menu for some users. Two are the same when rule and buttons are."""

    rule: Rule
    buttons: tuple[Button, ...]

    def document(self) -> dict[str, Any]:
        """As menu/addconditional takes it."""
        return {
            "button": [each.document() for each in self.buttons],
            "matchrule": self.rule.document(),
        }


@dataclass(frozen=True, slots=True)
class Menu:
    """All menus of an account: the default one, and the conditional ones in order of creation.

    Of several that fit a user the one created last wins.
    """

    buttons: tuple[Button, ...] = ()
    conditional: tuple[Conditional, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.buttons and not self.conditional

    def document(self) -> dict[str, Any]:
        """As the desired file holds it, without `account`."""
        document: dict[str, Any] = {"button": [each.document() for each in self.buttons]}
        if self.conditional:
            document["conditional"] = [each.document() for each in self.conditional]
        return document

    @property
    def fingerprint(self) -> str:
        """Equal menus have equal ones, everywhere and always."""
        return fingerprint(self.document())


NO_MENU: Final = Menu()


@dataclass(frozen=True, slots=True)
class Live:
    """What WeChat says is there.

    `ids` are the menuids of `menu.conditional`, in its order. `console` holds the buttons of a
    menu made in the web console, which menu/get doesn't show; `menu` is empty then. `ignored`
    names fields that WeChat showed and we don't know.
    """

    menu: Menu
    ids: tuple[str, ...] = ()
    console: tuple[Button, ...] = ()
    is_open: bool = True
    """False: the menu is switched off in the console, whatever it holds."""
    ignored: tuple[str, ...] = ()

    @property
    def is_console_made(self) -> bool:
        return bool(self.console)

    @property
    def fingerprint(self) -> str:
        """Of the state that a plan was made for: the console's menu and the ids count too.

        Values of console-made leaves change with every reading and are left out.
        """
        return fingerprint(
            {
                "menu": self.menu.document(),
                "ids": self.ids,
                "console": [_without_values(each) for each in self.console],
                "is_open": self.is_open,
            }
        )


def fingerprint(document: Mapping[str, Any]) -> str:
    """A short digest of a JSON document, whatever the order of its fields."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:_FINGERPRINT_HEX]


def _without_values(button: Button) -> dict[str, Any]:
    if button.is_parent:
        return {"name": button.name, "sub": [_without_values(each) for each in button.children]}
    kept = {} if button.type in CONSOLE_TYPES else dict(button.fields)
    return {"name": button.name, "type": button.type, **kept}
