"""What the fields of a push mean: one shape of it, whether XML or JSON was sent. PURE.

XML says everything in text and repeats elements, JSON has numbers and arrays. Which kinds and
fields WeChat documents stands in `push_kinds`; a kind that isn't there passes whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from zhongkong.wechat.malformed import PushMalformed
from zhongkong.wechat.push_kinds import (
    DECIMALS,
    INTEGERS,
    KNOWN_EVENTS,
    KNOWN_MESSAGES,
    LISTS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KNOWN_EVENTS", "KNOWN_MESSAGES", "Push", "normalise", "snake_case"]

_NUMBERS: Final = INTEGERS | DECIMALS

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,24})?(?:[eE][+-]?[0-9]{1,2})?")
_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST_NAME: Final = 128
_LATEST: Final = 253_402_300_799  # the end of the year 9999: later has no date
_WRITTEN: Final = {
    "event": "Event",
    "from_user_name": "FromUserName",
    "msg_type": "MsgType",
    "to_user_name": "ToUserName",
}


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Push:
    """A message or an event. What it says, and who said it, is not in the repr."""

    kind: Literal["message", "event"]
    name: str
    """The MsgType of a message; the Event of an event in lower case."""
    event: str | None
    """The Event as WeChat wrote it."""
    to_user: str
    from_user: str = field(repr=False)
    create_time: int
    """Unix seconds."""
    msg_id: str | None
    fields: Mapping[str, Any] = field(repr=False)
    """Every field, in snake_case down to the deepest."""


def normalise(parsed: Mapping[str, Any]) -> Push:
    """The push that `push.parse` has read, equal for XML and JSON. Raises PushMalformed.

    Kinds and fields that nobody knows are kept. Needed are ToUserName, FromUserName, CreateTime,
    MsgType, and Event where MsgType is event.
    """
    fields = _fields(parsed)
    msg_type = _needed(fields, "msg_type")
    event = _needed(fields, "event") if msg_type == "event" else None
    create_time = fields.get("create_time")
    if not isinstance(create_time, int) or not 0 <= create_time <= _LATEST:
        raise PushMalformed("the push has no CreateTime in seconds")
    msg_id = fields.get("msg_id")
    return Push(
        kind="message" if event is None else "event",
        name=msg_type if event is None else event.lower(),
        event=event,
        to_user=_needed(fields, "to_user_name"),
        from_user=_needed(fields, "from_user_name"),
        create_time=create_time,
        msg_id=msg_id if isinstance(msg_id, str) and msg_id else None,
        fields=fields,
    )


@lru_cache(maxsize=2048)
def snake_case(name: str) -> str:
    """WeChat's name in snake_case: HQMusicUrl → hq_music_url, MsgID → msg_id."""
    if len(name) > _LONGEST_NAME:
        raise PushMalformed(f"a field's name is longer than {_LONGEST_NAME} characters")
    if name == "MediaId16K":
        return "media_id_16k"
    return _WORD_STARTS.sub("_", name).lower()


def _fields(parsed: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in parsed.items():
        key = snake_case(name)
        if key in fields:
            raise PushMalformed("two fields differ in nothing but the spelling of their name")
        if key in LISTS:
            fields[key] = _list(key, value)
        elif type(value) is str and key not in _NUMBERS:
            fields[key] = value
        else:
            fields[key] = _value(key, value)
    return fields


def _value(key: str, value: Any) -> Any:
    if isinstance(value, list) or _holds_items(value):
        return _list(key, value)
    if isinstance(value, dict):
        return _fields(value)
    text = _text(value)
    if key in INTEGERS and _INTEGER.fullmatch(text):
        return int(text)
    if key in DECIMALS and _DECIMAL.fullmatch(text):
        return float(text)
    return text


def _list(key: str, value: Any) -> list[Any]:
    """The values of a list, of one that came alone, or of none, which XML shows as empty text."""
    if _holds_items(value):
        value = value["item"]
    if value is None or value == "":
        return []
    return [_value(key, one) for one in (value if isinstance(value, list) else [value])]


def _holds_items(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and "item" in value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _needed(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise PushMalformed(f"the push has no {_WRITTEN[key]}")
    return value
