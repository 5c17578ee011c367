"""Finds credentials in text: whole, or a piece long enough to be of use to somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

_PIECE = 20


def spilled(secrets: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """One sentence for each text that holds one of the secrets; names them, doesn't quote them."""
    return [
        f"{where} holds {what}"
        for where, text in texts.items()
        for what, secret in secrets.items()
        if any(piece in text for piece in _pieces(secret))
    ]


def _pieces(secret: str) -> Iterable[str]:
    """A token's first characters tell nothing, so its middle and its end are looked for."""
    yield quote(secret, safe="")
    yield secret[-_PIECE:]
    middle = max(0, len(secret) // 2 - _PIECE // 2)
    yield secret[middle : middle + _PIECE]
