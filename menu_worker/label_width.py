"""PURE: how wide a label is on a phone, in Chinese characters."""

from __future__ import annotations

from typing import Final
from unicodedata import category, combining, east_asian_width

_JOINER: Final = "\u200d"
_WITHOUT_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})
_TONES: Final = range(0x1F3FB, 0x1F400)
"""Skin colours, which are drawn into the emoji before them."""


def width(text: str) -> float:
    """Two Latin letters are about as wide as one Chinese character; a joined emoji is one."""
    total, joined = 0.0, False
    for sign in text:
        if not joined:
            total += _width_of(sign)
        joined = sign == _JOINER
    return total


def _width_of(sign: str) -> float:
    if combining(sign) or category(sign) in _WITHOUT_WIDTH or ord(sign) in _TONES:
        return 0.0
    return 1.0 if east_asian_width(sign) in {"W", "F"} else 0.5


def cut(text: str, at_most: float) -> str:
    """As a phone shows it: whole, or its beginning with an ellipsis."""
    if width(text) <= at_most:
        return text
    kept = text
    while kept and width(kept) > at_most:
        kept = kept[:-1]
    return f"{kept.rstrip(_JOINER)}…"
