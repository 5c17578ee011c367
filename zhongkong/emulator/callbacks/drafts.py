"""A callback on its way to being bytes: what an attack may still change about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zhongkong.wechat.envelope import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zhongkong.emulator.callbacks.configuration import Format, Mode
    from zhongkong.wechat.envelope import AesKey


def sealed_well(draft: Draft) -> str:
    """The text of Encrypt."""
    if draft.key is None:
        raise ValueError("there is no EncodingAESKey to encrypt with")
    return seal(draft.message, draft.key, draft.appid, draft.noise)


@dataclass(slots=True, kw_only=True)
class Draft:
    """What the letter is made of.

    message   what is encrypted, or the body in plaintext mode
    clear     the clear part in compatible mode
    sealed    makes the text of Encrypt
    envelope  changes the outer body at last
    query     replaces the query that would be made
    """

    mode: Mode
    format: Format
    token: str = field(repr=False)
    key: AesKey | None = field(repr=False)
    appid: str
    to_user: str
    openid: str
    timestamp: int
    nonce: str
    noise: str
    message: bytes = field(repr=False)
    clear: bytes = field(repr=False)
    huge_bytes: int
    sealed: Callable[[Draft], str] = sealed_well
    envelope: Callable[[bytes], bytes] | None = None
    query: Mapping[str, str] | None = None
