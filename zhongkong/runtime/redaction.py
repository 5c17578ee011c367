"""Cuts secrets out of whatever is about to be logged, traced or raised.

Two questions: is a field of this name secret, and what is left of a text when its secrets are cut.
Pure; knows shapes only, never a value, and is no licence to log a secret: it catches mistakes.
"""

from __future__ import annotations

import functools
import re

REDACTED = "[redacted]"

_WORDS = (
    "token|secret|password|passwd|ticket|authorization|cookie|credential|aes[_-]?key"
    "|encryption[_-]?key|private[_-]?key|signing[_-]?key|admin[_-]?key|api[_-]?key"
)
_SECRET_NAME = re.compile(rf"(?:.*(?:{_WORDS})|(?:.*token_?)?key)s?", re.DOTALL)
_NAME = rf"(?:{_WORDS})s?"
"""The end of a secret's name as it stands in texts; whatever stands before it."""

_HINT = re.compile(rf"bearer|basic|{_NAME}\\*[\"']?\s*(?:[:=]|%3d)|://[^\s]*@", re.IGNORECASE)
"""No rule below can match without one of these, and most texts have none."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        # Authorization: Bearer …, Cookie: …, as a header line.
        (r"((?:authorization|cookie) ?[:=] ?+)(?!\[redacted)[^\r\n]+", r"\1[redacted]"),
        (r"(\bbearer(?:\s+|%20|\+))(?!\[redacted)[^\s\"',;<>]+", r"\1[redacted]"),
        (r"(\bbasic\s+)[A-Za-z0-9+/_-]{8,}=*", r"\1[redacted]"),
        # "access_token": "…", also with escaped quotes, and what repr makes of a dict.
        (
            rf"({_NAME}\\*[\"']\s*:\s*)(b?\\*[\"'])(?:\\.|(?!\2).)*?(?:\2|\Z)",
            r"\1\2[redacted]\2",
        ),
        (rf"({_NAME}\\*[\"']\s*:\s*)(?!null|true|false)[\w.+-]+", r"\1[redacted]"),
        # password='…' as repr shows arguments.
        (rf"({_NAME}=)(b?\\*[\"'])(?:\\.|(?!\2).)*?(?:\2|\Z)", r"\1\2[redacted]\2"),
        # access_token=…, also percent-encoded as part of another URL.
        (rf"({_NAME}(?:=|%3D))(?!\[redacted)[^\s&\"'<>\\]+", r"\1[redacted]"),
        # secret: 0123456789abcdef…: only what no prose looks like.
        (rf"({_NAME}:\s*)(?=[A-Za-z_+/=-]*[0-9])[\w+/=-]{{16,}}", r"\1[redacted]"),
        # user:password@ in a URL; the password of a Redis URL may hold unescaped slashes.
        (r"(\bredis[a-z+]*://)(?!\[redacted)[^\s\"'<>]*@", r"\1[redacted]@"),
        (r"(://)(?!\[redacted)[^\s/\"'<>?#]*@", r"\1[redacted]@"),
    )
)


@functools.lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """True when the value of a field of this name must not be shown.

    `version`, `token_kind` and `key_name` may be; `access_token`, `appSecret` and `key` not.
    """
    return _SECRET_NAME.fullmatch(name.lower().replace("-", "_")) is not None


def scrub(text: str) -> str:
    """The text with every secret that its surroundings betray replaced by `[redacted]`.

    Scrubbing twice changes nothing more.
    """
    if _HINT.search(text) is None:
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
