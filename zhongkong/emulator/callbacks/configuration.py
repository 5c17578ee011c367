"""Where an account's callbacks go, and how they are signed, encrypted and written. Pure.

The URL verification that WeChat does before it takes a configuration is in verification.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from zhongkong.wechat.envelope import AesKey

if TYPE_CHECKING:
    from zhongkong.emulator.callbacks.verification import Verification

Mode = Literal["plaintext", "compatible", "safe"]
Format = Literal["xml", "json"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}")
_URL_AT_MOST: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSettings:
    """What the administrator types into the console's form (4.1).

    url               any port, where WeChat takes 80 and 443 only
    aes_key           the EncodingAESKey; plaintext mode needs none
    previous_aes_key  the one before, for pushes that still use it
    """

    url: str
    token: str = field(repr=False)
    aes_key: str | None = field(default=None, repr=False)
    previous_aes_key: str | None = field(default=None, repr=False)
    mode: Mode = "safe"
    format: Format = "xml"

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not is_web_address(self.url):
            raise ValueError("url begins with http:// or https:// and names a host")
        if not _TOKEN.fullmatch(self.token):
            raise ValueError("token has 3 to 32 letters or digits")
        if self.mode != "plaintext" and self.aes_key is None:
            raise ValueError(f"aes_key is needed in {self.mode} mode: 43 letters or digits")
        for key in (self.aes_key, self.previous_aes_key):
            if key is not None:
                AesKey.parse(key)

    @property
    def encrypted(self) -> bool:
        return self.mode != "plaintext"


@dataclass(slots=True)
class Callback:
    """The configuration in force, if any, and how the last verification went."""

    settings: CallbackSettings | None = None
    verification: Verification | None = None
    key: AesKey | None = field(default=None, repr=False)
    previous_key: AesKey | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, settings: CallbackSettings | None) -> Callback:
        callback = cls()
        if settings is not None:
            callback.put(settings)
        return callback

    def put(self, settings: CallbackSettings) -> None:
        """In force from the next try on. Unless one is named, the key before is remembered."""
        before = self.settings
        if before and settings.previous_aes_key is None:
            same = settings.aes_key == before.aes_key
            kept = before.previous_aes_key if same else before.aes_key
            settings = replace(settings, previous_aes_key=kept)
        self.settings = settings
        self.key = _parsed(settings.aes_key)
        self.previous_key = _parsed(settings.previous_aes_key)

    def clear(self) -> None:
        self.settings = self.verification = self.key = self.previous_key = None


def _parsed(key: str | None) -> AesKey | None:
    return None if key is None else AesKey.parse(key)


def is_web_address(url: str) -> bool:
    """Whether it can be called: http or https, a host, ASCII without blanks, no fragment."""
    if len(url) > _URL_AT_MOST or not url.isascii() or any(each <= " " for each in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
