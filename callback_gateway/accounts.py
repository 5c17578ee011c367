"""PURE: the Official Accounts whose callbacks are taken, with what proves a callback genuine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhongkong.wechat.envelope import AesKey

_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}\Z")


class TokenRefused(ValueError):
    """No token. The message says what is right and shows nothing of it."""


def parse_token(text: str) -> str:
    """A callback token, as it is. Raises TokenRefused."""
    if not _TOKEN.match(text):
        raise TokenRefused("is not a callback token: WeChat takes 3 to 32 letters and digits")
    return text


class Mode(StrEnum):
    """How WeChat's console is set to send callbacks."""

    SAFE = "safe"
    COMPATIBLE = "compatible"
    PLAINTEXT = "plaintext"


@dataclass(frozen=True, slots=True)
class Account:
    """One account. Of tokens and keys the first is the current one, the second the previous."""

    name: str
    appid: str
    original_id: str | None
    """`gh_…`; when it is known, callbacks to another are refused."""
    tokens: tuple[str, ...] = field(repr=False)
    aes_keys: tuple[AesKey, ...] = field(repr=False)
    mode: Mode = Mode.SAFE
