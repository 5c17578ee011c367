"""PURE: how the parts of a route are written in the settings, and what is wrong with one.

Raised are SettingProblems and PydanticCustomErrors, which the loader puts at their line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import core_schema

from callback_gateway.patterns import Pattern, PatternRefused
from callback_gateway.routes import EVENT, LONG_WINDOW_S, SHORT_WINDOW_S, Ask, Static
from zhongkong.runtime.names import is_name
from zhongkong.runtime.settings.errors import SettingProblems, bad_value
from zhongkong.runtime.settings.quantities import parse_duration
from zhongkong.wechat.catalogue import KNOWN_MESSAGES
from zhongkong.wechat.passive_reply import ReplyRefused, check_fit, read_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from zhongkong.runtime.settings.errors import KeyPath
    from zhongkong.wechat.passive_reply import PassiveReply

STREAM: Final = "stream:"

_PATH_PART: Final = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")
_WINDOWS: Final = frozenset({SHORT_WINDOW_S, LONG_WINDOW_S})


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Reads a setting by a function, as `Annotated[T, ReadBy(read)]`; T is not looked into."""

    read: Callable[[Any], Any]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {}


def patterns(value: Any, *, ignore_case: bool = False) -> tuple[Pattern, ...]:
    """One pattern or a list of them."""
    given = value if isinstance(value, list) else [value]
    if not given:
        raise bad_value("is empty: give a pattern, or leave the field out to take everything")
    problems: list[tuple[KeyPath, str]] = []
    found: list[Pattern] = []
    for index, text in enumerate(given):
        path: KeyPath = (index,) if isinstance(value, list) else ()
        if not isinstance(text, str):
            problems.append((path, "is not a pattern: write it as text, in quotes"))
            continue
        try:
            found.append(Pattern.parse(text, ignore_case=ignore_case))
        except PatternRefused as flaw:
            problems.append((path, str(flaw)))
    if problems:
        raise SettingProblems(problems)
    return tuple(found)


def passive_reply(value: Any) -> PassiveReply:
    """A reply that is written out."""
    try:
        return read_reply(value)
    except ReplyRefused as flaw:
        raise SettingProblems([(_path(flaw.path), _words(flaw))]) from None


def reply(value: Any) -> Static | Ask:
    """Who answers: a target's name, or the answer itself."""
    if isinstance(value, str):
        return Ask(target_name(value))
    if not isinstance(value, dict):
        raise bad_value("is neither a target's name nor an answer: {type: text, content: …}")
    return Static(passive_reply(value))


def target_name(value: Any) -> str:
    """The name of a target; whether there is one is checked by the whole file."""
    if not isinstance(value, str) or not is_name(value):
        raise bad_value("is not the name of a target")
    return value


def recipients(value: Any) -> tuple[str, ...]:
    """Who gets a copy: names of targets, and of streams as `stream:crm`."""
    given = value if isinstance(value, list) else [value]
    if not given:
        raise bad_value("is empty: name a target, or leave it out")
    problems: list[tuple[KeyPath, str]] = [
        ((index,), "is not the name of a target")
        for index, each in enumerate(given)
        if not isinstance(each, str) or not is_name(each.removeprefix(STREAM))
    ]
    if problems:
        raise SettingProblems(problems)
    return tuple(given)


def reply_window(value: Any) -> float:
    """Seconds: one of two."""
    seconds = value if isinstance(value, float) else None
    if isinstance(value, str):
        try:
            seconds = parse_duration(value)
        except ValueError:
            seconds = None
    if seconds not in _WINDOWS or seconds is None:
        raise bad_value(
            "is not a window: write 4.5s to answer WeChat's first try, or 15s to answer its last"
        )
    return seconds


def misfits(
    answer: PassiveReply | None, types: Iterable[Pattern] | None
) -> tuple[KeyPath, str] | None:
    """Why WeChat wouldn't take this answer to some type that these patterns let through."""
    if answer is None:
        return None
    wanted = None if types is None else tuple(types)
    for name in sorted({*KNOWN_MESSAGES, EVENT}):
        if wanted is not None and not any(pattern.fits(name) for pattern in wanted):
            continue
        try:
            check_fit(answer, name)
        except ReplyRefused as flaw:
            return _path(flaw.path), _words(flaw)
    return None


def _path(path: str) -> KeyPath:
    """`articles[2].url` as it leads through the data."""
    return tuple(
        int(index) if index else name for index, name in _PATH_PART.findall(path) if index or name
    )


def _words(flaw: ReplyRefused) -> str:
    return str(flaw).removeprefix(f"{flaw.path or 'the reply'} ")
