"""PURE: what is said about a desired menu, and values that know their path in its file.

A finding has a path; which line that is, is known to who has read the file (desired).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

KeyPath = tuple[str | int, ...]

_SHOWN_AT_MOST: Final = 40
_NAME_AT_MOST: Final = 40
"""Longer names have no nearest one: looking for it would take long, and nobody mistypes so."""


class Level(StrEnum):
    """Whether a violation keeps the menu from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation at a path. `code`: WeChat's own for it, had the file been sent as it is."""

    path: KeyPath
    message: str
    code: int | None = None
    level: Level = Level.ERROR


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation in its file; line and column count from 1."""

    file: Path
    line: int
    column: int
    message: str
    code: int | None = None
    level: Level = Level.ERROR

    def __str__(self) -> str:
        kind = "warning: " if self.level is Level.WARNING else ""
        code = "" if self.code is None else f" (WeChat: {self.code})"
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.message}{code}"


@dataclass(frozen=True, slots=True)
class At:
    """A value of the document and where it stands."""

    value: Any
    path: KeyPath = ()

    def get(self, name: str) -> At:
        """The value under a key; None where there is no such key."""
        inner = self.value.get(name) if isinstance(self.value, dict) else None
        return At(inner, (*self.path, name))

    def has(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def items(self) -> Iterator[At]:
        """The entries of a list; nothing for anything else."""
        if isinstance(self.value, list):
            for index, each in enumerate(self.value):
                yield At(each, (*self.path, index))

    @property
    def is_empty(self) -> bool:
        """Absent, null or the empty text: how SDKs write a field that isn't used."""
        return self.value is None or self.value == ""

    def error(self, message: str, code: int | None = None) -> Finding:
        return Finding(self.path, message, code)

    def warning(self, message: str, code: int | None = None) -> Finding:
        return Finding(self.path, message, code, Level.WARNING)


def shown(value: object) -> str:
    """A value of the file in a message: short, on one line, harmless to a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    cut = text if len(text) <= _SHOWN_AT_MOST else f"{text[:_SHOWN_AT_MOST]}…"
    return '"' + "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in cut) + '"'


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    if len(name) > _NAME_AT_MOST:
        return None
    by_plain = {each.replace("_", ""): each for each in known}
    plain = name.lower().replace("_", "").replace("-", "")
    found = get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name."""
    found = nearest(name, known)
    return "" if found is None else f"; did you mean `{found}`?"
