"""PURE: keys in an Authorization header, known by their SHA-256 alone."""

from __future__ import annotations

import hashlib
from typing import Final

KEY_CHARACTERS_AT_LEAST: Final = 24
_KEY_CHARACTERS_AT_MOST: Final = 512
_SCHEME: Final = "bearer "


def digest_of(authorization: str | None) -> bytes:
    """The SHA-256 of the Bearer key in this header; empty when it holds none that could be ours.

    Only this digest is looked up and compared: what the time of a look-up tells about digests says
    nothing about keys.
    """
    if authorization is None or authorization[:7].lower() != _SCHEME:
        return b""
    return digest_of_text(authorization[7:].strip(" "))


def digest_of_text(key: str) -> bytes:
    """The SHA-256 of a key; empty when it is none that could be ours."""
    if not KEY_CHARACTERS_AT_LEAST <= len(key) <= _KEY_CHARACTERS_AT_MOST:
        return b""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
