"""Patterns for names and for paths.

`Glob` is for names of accounts, kinds and the like: `*` any run of characters, `?` any one.
`PathGlob` is for URL paths: `*` stays within one segment, `**` is any number of segments.
Matching is case-sensitive; its time grows at most with the product of the two lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from zhongkong.runtime.settings.errors import bad_value

MAX_LENGTH = 256
_SPECIAL = re.compile(r"[\[\]{}\\\s]")


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern over the whole of a name."""

    pattern: str

    def matches(self, text: str) -> bool:
        return _fits(self.pattern, text)

    @staticmethod
    def flaw(pattern: str) -> str | None:
        """What is wrong with the pattern."""
        if not pattern or len(pattern) > MAX_LENGTH:
            return f"is not a pattern: write 1 to {MAX_LENGTH} characters, as shop or shop-*"
        if _SPECIAL.search(pattern):
            return "is not a pattern: only * and ? are special; brackets and spaces are not allowed"
        return None

    def __str__(self) -> str:
        return self.pattern

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}

    @classmethod
    def _validate(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise bad_value("is not a pattern: write it as text, in quotes when it begins with *")
        if flaw := cls.flaw(value):
            raise bad_value(flaw)
        return cls(value)


@dataclass(frozen=True, slots=True)
class PathGlob(Glob):
    """A pattern over the whole of a URL path."""

    def matches(self, text: str) -> bool:
        return _path_fits(tuple(self.pattern.split("/")), tuple(text.split("/")))

    @staticmethod
    def flaw(pattern: str) -> str | None:
        if not pattern.startswith("/"):
            return "is not a path pattern: it begins with /, as /cgi-bin/**"
        if any("**" in segment and segment != "**" for segment in pattern.split("/")):
            return "is not a path pattern: ** stands alone between slashes, as /cgi-bin/**"
        return Glob.flaw(pattern)


def _path_fits(pattern: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    """Greedy with one point of return, like `_fits`, over segments instead of characters."""
    at, mark, resume = 0, -1, 0
    here = 0
    while here < len(segments):
        if at < len(pattern) and pattern[at] == "**":
            mark, resume = at, here
            at += 1
        elif at < len(pattern) and _segment_fits(pattern[at], segments[here]):
            at, here = at + 1, here + 1
        elif mark >= 0:
            resume += 1
            at, here = mark + 1, resume
        else:
            return False
    return all(part == "**" for part in pattern[at:])


def _segment_fits(pattern: str, segment: str) -> bool:
    return bool(segment) if pattern == "*" else _fits(pattern, segment)


def _fits(pattern: str, text: str) -> bool:
    """Only the last `*` ever has to give way, so no pattern makes this slow."""
    at, mark, resume = 0, -1, 0
    here = 0
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            mark, resume = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in {"?", text[here]}:
            at, here = at + 1, here + 1
        elif mark >= 0:
            resume += 1
            at, here = mark + 1, resume
        else:
            return False
    return all(character == "*" for character in pattern[at:])
