"""The body of a menu call before its buttons are looked at: bytes, charset, escapes, JSON. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from zhongkong.emulator.refusal import Refusal

if TYPE_CHECKING:
    from zhongkong.emulator.parameters import Parameters

# An escaped backslash before a `u` is text, not an escape.
_UNICODE_ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u")


def read_menu(raw: bytes, rules: Parameters) -> dict[str, Any]:
    """The JSON object. Raises Refusal: 44002, 65318, 40033, 47001, in this order."""
    if not raw.strip():
        raise Refusal(44002)
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise Refusal(rules.menu_not_utf8_code) from None
    if _UNICODE_ESCAPE.search(raw):
        raise Refusal(40033)
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refusal(rules.malformed_menu_code) from None
    if not isinstance(parsed, dict):
        raise Refusal(rules.malformed_menu_code)
    return parsed
