"""Commands as the bytes that a Redis server reads.

The client library packs each word in Python; where its C extension is installed (redis[hiredis]),
packing a long script call by that costs a fifth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Word = bytes | str | int | float


def pack_plainly(words: Sequence[Word]) -> bytes:
    """Return a command in RESP, without the C extension."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts += (b"$%d\r\n" % len(data), data, b"\r\n")
    return b"".join(parts)


def _packer() -> Callable[[Sequence[Word]], bytes]:
    try:
        from hiredis import pack_command  # noqa: PLC0415 - it may be missing
    except ImportError:
        return pack_plainly
    return lambda words: pack_command(tuple(words))  # type: ignore[arg-type]  # "of one word"


pack = _packer()
"""Return a command in RESP. Floats keep all their digits."""
