"""JSON as mini-programs get it: one object, numbers exact. PURE.

Python's own parser, because it keeps integers beyond 64 bits and lets a repeated key be seen.
What the fields mean is told in `catalogue`; formats are chosen in `push`.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from zhongkong.wechat.malformed import MAX_DEPTH, MAX_NODES, PushMalformed

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_json(body: bytes) -> dict[str, Any]:
    """The object, with exact integers. Raises PushMalformed."""
    try:
        value = _DECODER.decode(body.decode())
    except PushMalformed:
        raise
    except (ValueError, RecursionError):
        raise PushMalformed("the body is no JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise PushMalformed("the JSON is no object")
    _bounded(value, 1, 0)
    return value


def write_json(fields: Mapping[str, Any]) -> bytes:
    """The object in UTF-8, without blanks. Raises PushMalformed."""
    try:
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError):
        raise PushMalformed("a field holds what JSON can't carry") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise PushMalformed("the JSON has a field twice")
    return fields


def _finite(literal: str) -> float:
    number = float(literal)
    if not isfinite(number):
        raise PushMalformed("the JSON has a number beyond all bounds")
    return number


def _no_constant(_name: str) -> None:
    raise PushMalformed("the JSON has a number that is none")


def _bounded(value: Any, depth: int, nodes: int) -> int:
    """The number of values so far; PushMalformed beyond the bounds and for broken texts."""
    nodes += 1
    if nodes > MAX_NODES:
        raise PushMalformed(f"the JSON has more than {MAX_NODES} values")
    if depth > MAX_DEPTH:
        raise PushMalformed(f"the JSON is nested deeper than {MAX_DEPTH} values")
    if isinstance(value, str):
        _whole(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _whole(name)
            nodes = _bounded(item, depth + 1, nodes)
    elif isinstance(value, list):
        for item in value:
            nodes = _bounded(item, depth + 1, nodes)
    return nodes


def _whole(text: str) -> None:
    """Refuse half a surrogate pair: an escape can make one, and UTF-8 has none."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PushMalformed("the JSON has half a character") from None


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant, strict=False
)
