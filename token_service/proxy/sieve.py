"""PURE: finds a caller's key or an opaque token in bytes that are about to leave us.

Three things are looked for: texts that are known (what came with this call, and keys that callers
showed before), anything of an opaque token's shape, and any word whose SHA-256 is that of a
client's key. Each is looked for as it stands and behind percent and JSON escapes, in short data in
base64 too. What is done about a find is decided elsewhere.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import TYPE_CHECKING, Final

from token_service.opaque import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOLD_BYTES: Final = 4096
"""More than the longest key takes when each of its characters is written as a JSON escape."""

WORD_BYTES_AT_LEAST: Final = 24
WORD_BYTES_AT_MOST: Final = 512
"""A key is no shorter and no longer."""

_STRIDE: Final = 4
_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_IS_WORD: Final = bytes(1 if code in _WORD else 0 for code in range(256))
_RUN: Final = b"\x01" * (WORD_BYTES_AT_LEAST // _STRIDE)
_OPAQUE: Final = re.compile(re.escape(PREFIX.encode()) + rb"[A-Za-z0-9_-]{60}")
_OPAQUE_PREFIX: Final = PREFIX.encode()
_PERCENT_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_JSON_ESCAPE: Final = re.compile(rb"\\(?:u00([0-7][0-9A-Fa-f])|([/\"\\]))")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % (WORD_BYTES_AT_LEAST * 4 // 3))
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_REST: Final = re.compile(rb"[A-Za-z0-9_-]*")
_DECODINGS: Final = 2
_REACH: Final = 1024
"""More than a find extends from an escape that it holds: nothing that is looked for is as long."""
_SEEN_AT_MOST: Final = 256
_SMALL_BYTES: Final = 64 * 1024


class SeenKeys:
    """Keys that callers showed to this process: these are known as texts, and found in any word."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self._by_client: dict[str, str] = {}

    @property
    def count(self) -> int:
        """Grows when a key is seen for the first time: what was looked through is out of date."""
        return len(self.texts)

    def note(self, client: str, key: str) -> None:
        """This is the key of that client."""
        if self._by_client.get(client) == key or len(self.texts) >= _SEEN_AT_MOST:
            return
        self._by_client[client] = key
        self.texts.append(key.encode("utf-8", "surrogateescape"))


class Sieve:
    """What must not leave in one call. Two with equal `identity` catch the same."""

    __slots__ = ("_credential", "_is_key", "_seen", "identity")

    def __init__(self, credential: str, is_key: Callable[[bytes], bool], seen: SeenKeys) -> None:
        """`credential` came with the call; `is_key` tells whether a word is any client's key."""
        self.identity = (credential, seen.count)
        self._credential = credential.encode("utf-8", "surrogateescape")
        self._is_key = is_key
        self._seen = seen.texts

    def catches(self, data: bytes) -> bool:
        """Whether one of them stands in `data`, plainly or escaped."""
        return self._found(data) or any(map(self._found_escaped, escaped_parts(data)))

    def catches_packed(self, data: bytes) -> bool:
        """Whether one of them stands in `data` in base64, as in `Basic …`. For short data."""
        return any(map(self._found, _unpacked(data)))

    def _found_escaped(self, data: bytes) -> bool:
        for _ in range(_DECODINGS):
            decoded = _decoded(data)
            if decoded is data:
                return False
            if self._found(decoded):
                return True
            data = decoded
        return False

    def _found(self, data: bytes) -> bool:
        if self._credential and self._credential in data:
            return True
        if _OPAQUE_PREFIX in data and _OPAQUE.search(data):
            return True
        if len(data) <= _SMALL_BYTES and any(key in data for key in self._seen):
            return True
        return any(self._is_or_holds_key(word) for word in words(data))

    def _is_or_holds_key(self, word: bytes) -> bool:
        if len(word) <= WORD_BYTES_AT_MOST and self._is_key(word):
            return True
        return any(key in word for key in self._seen)


class StreamSieve:
    """A sieve for bytes that come in pieces: holds back what could be the beginning of a find."""

    __slots__ = ("_held", "_sieve")

    def __init__(self, sieve: Sieve) -> None:
        self._sieve = sieve
        self._held = b""

    def feed(self, piece: bytes) -> bytes | None:
        """What may leave now; None when there was a find, after which nothing more may."""
        window = self._held + piece
        if self._sieve.catches(window):
            return None
        cut = max(0, len(window) - HOLD_BYTES)
        self._held = window[cut:]
        return window[:cut]

    def rest(self) -> bytes:
        """What is left at the end: it was looked through already."""
        held, self._held = self._held, b""
        return held


def words(data: bytes) -> Iterator[bytes]:
    """Every whole run of key characters that is at least as long as a key.

    Looks at every fourth byte first: where no six of those in a row are key characters, there is no
    such run, and most of a picture or a film is done with.
    """
    sample = data[::_STRIDE].translate(_IS_WORD)
    at = sample.find(_RUN)
    while at >= 0:
        inside = at * _STRIDE
        before = data[max(0, inside - _STRIDE + 1) : inside]
        start = inside - len(before) + len(before.rstrip(_WORD))
        rest = _REST.match(data, inside)
        end = inside if rest is None else rest.end()
        if end - start >= WORD_BYTES_AT_LEAST:
            yield data[start:end]
        at = sample.find(_RUN, end // _STRIDE + 1)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What may be base64 decoded, from each place where a group can begin."""
    for run in _BASE64.finditer(data):
        text = run[0].translate(_STANDARD)
        for start in range(4):
            part = text[start:]
            # One letter alone at the end holds no whole byte.
            part = part[: len(part) - (len(part) % 4 == 1)]
            yield a2b_base64(part + b"=" * (-len(part) % 4))


def escaped_parts(data: bytes) -> Iterator[bytes]:
    """The surroundings of escapes: whatever is found only behind escapes lies in one of them.

    In a picture or a film they are few and short. Escapes that are near each other share one.
    """
    # Both patterns begin with one fixed byte, which makes the search for them fast.
    places = [each.span() for each in _PERCENT_ESCAPE.finditer(data)] if b"%" in data else []
    if b"\\" in data:
        places += [each.span() for each in _JSON_ESCAPE.finditer(data)]
        places.sort()
    start = end = -1
    for first, last in places:
        if start < 0:
            start = first
        elif first - end > 2 * _REACH:
            yield data[max(0, start - _REACH) : end + _REACH]
            start = first
        end = last
    if start >= 0:
        yield data[max(0, start - _REACH) : end + _REACH]


def _decoded(data: bytes) -> bytes:
    """With percent and JSON escapes undone once; the same object when there are none."""
    plain = data
    if b"%" in plain:
        plain = _PERCENT_ESCAPE.sub(_unescaped, plain)
    if b"\\" in plain:
        plain = _JSON_ESCAPE.sub(_unescaped, plain)
    return data if plain == data else plain


def _unescaped(escape: re.Match[bytes]) -> bytes:
    digits = escape[1]
    return bytes((int(digits, 16),)) if digits else escape[2]
