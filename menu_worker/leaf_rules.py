"""PURE: what is wrong with a button that does something: its type, and the fields of its type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from menu_worker.findings import did_you_mean, shown
from menu_worker.limits import ID_BYTES, KEY_BYTES, PAGE_BYTES, TOP, URL_BYTES
from menu_worker.menu import CONSOLE_TYPES, FIELDS
from menu_worker.texts import check_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from menu_worker.findings import At, Finding
    from menu_worker.limits import Tier

APPID: Final = re.compile(r"wx[0-9a-zA-Z]{16}")
TYPED: Final = frozenset(name for names in FIELDS.values() for name in names)
"""Fields that some type needs."""

_COMMON: Final = frozenset({"name", "type", "sub_button"})
_CONSOLE: Final = frozenset({"value", "news_info"})
_INSTEAD: Final = {
    "text": "make it `click`, and let a route of the gateway reply with the text",
    "img": "upload the picture as permanent material and make it `media_id`",
    "voice": "upload the recording as permanent material and make it `media_id`",
    "video": "upload the video as permanent material and make it `media_id`",
    "news": "publish the article and make it `article_id`, or `view` with its address",
}
_MINI_PROGRAM_CODES: Final = {"pagepath": 40165, "appid": 40166}


def check_leaf(button: At, tier: Tier, no_type: int | None) -> Iterator[Finding]:
    """Everything but its name. `no_type` is the code of a missing type where it has its own."""
    kind = button.get("type")
    if not kind.value:
        yield _typeless(button, tier, no_type)
        return
    if not isinstance(kind.value, str):
        yield kind.error(f"`type` is a word like click or view, not {shown(kind.value)}", tier.kind)
        return
    name = kind.value.lower()
    if name in CONSOLE_TYPES:
        what = f"`{name}` exists in WeChat's web console alone, no call can create it"
        yield kind.error(f"{what}; {_INSTEAD[name]}", tier.kind)
        return
    if name not in FIELDS:
        what = f"{shown(kind.value)} is no type of a button{did_you_mean(name, FIELDS)}"
        yield kind.error(what, tier.kind)
        return
    if name != kind.value:
        yield kind.warning(f"{shown(kind.value)} is taken as {name}", tier.kind)
    for field in FIELDS[name]:
        yield from _check_field(button, name, field, tier)
    yield from _surplus(button, name)


def check_names(button: At) -> Iterator[Finding]:
    """Fields that no button has."""
    for name in button.value:
        if name not in TYPED and name not in _COMMON and name not in _CONSOLE:
            hint = did_you_mean(name, (*sorted(TYPED), *sorted(_COMMON)))
            yield button.get(name).warning(
                f"`{shown(name)[1:-1]}` is no field of a button, and left out{hint}"
            )


def host_of(url: str) -> str | None:
    """The host of a web address, in lower case; None for what no phone can open."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return host if parts.scheme in {"http", "https"} and url.lower().startswith("http") else None


def _typeless(button: At, tier: Tier, no_type: int | None) -> Finding:
    if tier is TOP and button.has("sub_button"):
        what = "has neither a `type` nor entries in `sub_button`; give it 1 to 5 of them"
        return button.error(f"the button {what}", tier.children)
    what = "the button has no `type`; say what it does: click, view, miniprogram …"
    return button.error(what, tier.kind if no_type is None else no_type)


def _check_field(button: At, kind: str, field: str, tier: Tier) -> Iterator[Finding]:
    at = button.get(field)
    match field:
        case "key":
            yield from check_text(at, KEY_BYTES, tier.key, hint=_hint(button, kind, "url"))
        case "url":
            yield from check_text(at, URL_BYTES, tier.url, hint=_hint(button, kind, "key"))
            yield from _check_address(at, tier)
        case "media_id" | "article_id":
            yield from check_text(at, ID_BYTES, 40118, hint=_hint(button, kind, "key"))
        case "pagepath":
            yield from check_text(at, PAGE_BYTES, _MINI_PROGRAM_CODES[field])
            if str(at.value).startswith("/"):
                what = "`pagepath` begins with a slash; the mini-program's own paths have none"
                yield at.warning(what)
        case "appid":
            yield from _check_appid(at)


def _check_address(at: At, tier: Tier) -> Iterator[Finding]:
    url = text_of(at)
    if url is None:
        return
    if host_of(url) is None:
        what = f"{shown(url)} is no web address; write it whole, from http:// or https:// on"
        yield at.error(what, tier.domain)
    elif any(sign.isspace() for sign in url):
        yield at.warning("`url` has a space in it; write it as %20")


def _check_appid(at: At) -> Iterator[Finding]:
    code = _MINI_PROGRAM_CODES["appid"]
    appid = text_of(at)
    if appid is None:
        yield from check_text(at, ID_BYTES, code)
    elif not APPID.fullmatch(appid):
        what = f"{shown(appid)} is no AppID of a mini-program: wx and 16 letters or digits"
        yield at.error(what, code)


def _hint(button: At, kind: str, given: str) -> str:
    """What to say when the wanted field isn't there and its usual neighbour is."""
    if button.get(given).is_empty or given in FIELDS[kind]:
        return ""
    other = "view" if given == "url" else "click"
    return f", and `{given}` is given: is the type meant to be {other}?"


def _surplus(button: At, kind: str) -> Iterator[Finding]:
    for name in button.value:
        at = button.get(name)
        if (name in TYPED or name in _CONSOLE) and name not in FIELDS[kind] and not at.is_empty:
            yield at.warning(f"{kind} takes no `{name}`; it is left out")
