"""PURE: which header lines go along, to WeChat and back; all others belong to one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    RawHeaders = tuple[tuple[bytes, bytes], ...]

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_HOP_BY_HOP_OR_LENGTH: Final = _HOP_BY_HOP | {b"content-length"}
_STAYS_HERE: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"accept-encoding",
        b"authorization",
        b"cookie",
        b"expect",
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-request-id",
    }
)
"""Replaced, answered by us, or nobody's business outside."""
_STAYS_HERE_PREFIX: Final = b"x-forwarded-"
_NEVER_LISTED: Final = frozenset({b"content-length", b"content-type", b"host"})
"""What Connection can't declare to be of one connection."""


def to_wechat(headers: RawHeaders) -> list[bytes]:
    """A caller's lines that go along. Only encodings that we can look into are accepted."""
    dropped = _HOP_BY_HOP | _listed(headers)
    lines: list[bytes] = []
    encoding = b"identity"
    for name, value in headers:
        lower = name.lower()
        if lower == b"accept-encoding" and b"gzip" in value.lower():
            encoding = b"gzip"
        if lower in dropped or lower in _STAYS_HERE or lower.startswith(_STAYS_HERE_PREFIX):
            continue
        lines.append(b": ".join((name, value)))
    lines.append(b"Accept-Encoding: " + encoding)
    return lines


def to_caller(headers: RawHeaders, *, with_length: bool) -> list[bytes]:
    """The lines of WeChat's answer that go along; its Content-Length only if it still holds."""
    dropped = _HOP_BY_HOP if with_length else _HOP_BY_HOP_OR_LENGTH
    lines: list[bytes] = []
    listed: frozenset[bytes] | None = None
    for pair in headers:
        lower = pair[0].lower()
        if lower not in dropped:
            lines.append(b": ".join(pair))
        elif lower == b"connection" and listed is None:
            listed = _listed(headers)
    if listed:
        lines = [line for line in lines if line.partition(b":")[0].lower() not in listed]
    return lines


def _listed(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """What Connection declares to be of one connection."""
    values = [value for name, value in headers if name.lower() == b"connection"]
    names = {token.strip().lower() for value in values for token in value.split(b",")}
    return frozenset(names - _NEVER_LISTED)
