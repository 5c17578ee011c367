"""PURE: a part's log line as a person reads it. What isn't one of our JSON lines stays as it is."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

RESET: Final = "\x1b[0m"
_DIM: Final = "\x1b[2m"
_LEVEL_COLOURS: Final = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
_HIDDEN: Final = frozenset({"timestamp", "level", "service", "event"})
_PLAIN: Final = re.compile(r"[^\s\"=]+\Z")


def readable(line: bytes, *, colours: bool) -> str:
    """One line without its newline; never anything that could steer a terminal but our colours."""
    fields = fields_of(line)
    if fields is None:
        return _harmless(line.decode("utf-8", "replace"))
    level = str(fields.get("level", ""))
    time = _harmless(str(fields.get("timestamp", "")))[11:19]
    event = _harmless(str(fields["event"]))
    told = event if level in {"", "debug", "info"} else f"{_harmless(level)}: {event}"
    rest = " ".join(
        f"{_harmless(name)}={_value(value)}"
        for name, value in fields.items()
        if name not in _HIDDEN and value is not None
    )
    if not colours:
        return f"{time} {told} {rest}".rstrip()
    colour = _LEVEL_COLOURS.get(level, "")
    return f"{_DIM}{time}{RESET} {colour}{told}{RESET if colour else ''} {_DIM}{rest}{RESET}"


def fields_of(line: bytes) -> dict[str, Any] | None:
    """What one of our JSON lines says; None when it is none."""
    if not line.startswith(b"{"):
        return None
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) and "event" in fields else None


def _value(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.match(value):
        return _harmless(value)
    return _harmless(orjson.dumps(value).decode())


def _harmless(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in text)
