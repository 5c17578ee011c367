"""From whatever was given to a logger to plain JSON values without secrets. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from zhongkong.runtime.redaction import REDACTED, is_secret_name, scrub

MAX_TEXT = 16 * 1024
MAX_DEPTH = 12
MAX_ENTRIES = 1000

_INT64 = 2**63


def cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with secret ones replaced and all texts scrubbed, as JSON values."""
    return _mapping(fields, MAX_DEPTH)


def to_json(fields: Mapping[str, Any]) -> bytes:
    """One line of JSON; never raises for what `cleaned` returns."""
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # Texts with lone surrogates, as they come from file names: the slow encoder escapes them.
        return json.dumps(fields, default=str).encode() + b"\n"


def _mapping(fields: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    for key, value in fields.items():
        name = key if isinstance(key, str) else str(key)
        if len(clean) >= MAX_ENTRIES:
            clean["more"] = "[cut]"
            break
        hidden = value is not None and not isinstance(value, bool) and is_secret_name(name)
        clean[_text(name)] = REDACTED if hidden else _value(value, depth - 1)
    return clean


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else str(value)
    if isinstance(value, bytes):
        return _text(value[: MAX_TEXT + 1].decode("utf-8", "backslashreplace"))
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth <= 0:
            return "[too deep]"
        if isinstance(value, Mapping):
            return _mapping(value, depth)
        items = [_value(item, depth - 1) for item in list(value)[:MAX_ENTRIES]]
        return items if len(value) <= MAX_ENTRIES else [*items, "[cut]"]
    return _text(_described(value))


def _described(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a log line must not fail because an object can't be shown
        return f"<{type(value).__name__} that can't be shown>"


def _text(text: str) -> str:
    return scrub(text) if len(text) <= MAX_TEXT else f"{scrub(text[:MAX_TEXT])}[cut]"
