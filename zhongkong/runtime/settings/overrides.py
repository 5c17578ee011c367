"""Settings from environment variables, laid over those of the file.

`TOKEN_SERVICE__ACCOUNTS__0__MODE=classic` sets `accounts[0].mode`. Keys are matched without
regard to case; a list takes an index, one past its end appends. A value is read as YAML when it
begins with `[`, `{` or a quote, else as one unquoted scalar. Which keys exist is not known here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zhongkong.runtime.settings.composer import MAX_DEPTH, plain_scalar
from zhongkong.runtime.settings.document import parse_document
from zhongkong.runtime.settings.errors import ConfigError, KeyPath, Problem, key_text

SEPARATOR = "__"
MAX_VALUE = 64 * 1024
_MAX_INDEX_DIGITS = 6
_YAML_STARTS = ("[", "{", '"', "'")


@dataclass(frozen=True, slots=True)
class Overrides:
    """Which variable set which setting, and which could not."""

    origins: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def origin(self, path: KeyPath) -> tuple[KeyPath, str] | None:
        """The variable that set this path or one above it, with the path that it set."""
        for length in range(len(path), 0, -1):
            if variable := self.origins.get(path[:length]):
                return path[:length], variable
        return None

    def below(self, path: KeyPath) -> str | None:
        """A variable that set something below this path."""
        for origin, variable in self.origins.items():
            if len(origin) > len(path) and origin[: len(path)] == path:
                return variable
        return None


class _CantPlaceError(Exception):
    """The variable's name leads nowhere; the message says why."""


def apply_overrides(data: dict[str, Any], environ: Mapping[str, str], prefix: str) -> Overrides:
    """Change `data` in place by all variables that begin with `<prefix>__`."""
    overrides = Overrides()
    start = prefix + SEPARATOR
    for variable in sorted((name for name in environ if name.startswith(start)), key=_order):
        try:
            path = _place(data, variable.removeprefix(start).split(SEPARATOR))
            if other := overrides.origins.get(path):
                raise _CantPlaceError(f"sets {key_text(path)}, which {other} sets as well")
            _set(data, path, _parse(environ[variable], variable))
        except _CantPlaceError as trouble:
            overrides.problems.append(Problem(variable, "", str(trouble)))
        except ConfigError as error:
            overrides.problems.extend(error.problems)
        else:
            overrides.origins[path] = variable
    return overrides


def _order(variable: str) -> list[tuple[int, str]]:
    """What stands above comes first, and entry 9 before entry 10."""
    return [
        (int(part), "") if _is_index(part) else (-1, part) for part in variable.split(SEPARATOR)
    ]


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) <= _MAX_INDEX_DIGITS


def _parse(text: str, variable: str) -> Any:
    if len(text) > MAX_VALUE:
        raise _CantPlaceError(f"is longer than {MAX_VALUE} characters")
    if not text.isprintable() and "\udc80" <= max(text) <= "\udcff":
        raise _CantPlaceError("is not UTF-8 text")
    if not text.startswith(_YAML_STARTS):
        return plain_scalar(text)
    try:
        document = parse_document(text, variable)
    except ConfigError as error:
        raise ConfigError(Problem(variable, "", p.what) for p in error.problems) from None
    if document.problems:
        raise ConfigError(Problem(variable, p.key, p.what) for p in document.problems)
    return document.plain()


def _place(data: dict[str, Any], parts: list[str]) -> KeyPath:
    """Spell the path as the data does, without changing it."""
    if not all(parts) or len(parts) > MAX_DEPTH:
        raise _CantPlaceError("is not the name of a setting: write PREFIX__KEY__KEY")
    path: list[str | int] = []
    here: Any = data
    for part in parts:
        step = _step(here, part, path)
        path.append(step)
        here = _child(here, step)
    return tuple(path)


def _step(here: Any, part: str, path: list[str | int]) -> str | int:
    if isinstance(here, dict):
        same = [key for key in here if key.casefold() == part.casefold()]
        if len(same) > 1 and part not in here:
            raise _CantPlaceError(f"fits {' and '.join(same)} alike")
        return part if part in here else same[0] if same else part.lower()
    if not _is_index(part):
        if isinstance(here, list):
            raise _CantPlaceError(f"needs a number for {key_text(path)}, which is a list")
        return part.lower()
    length = len(here) if isinstance(here, list) else 0
    if int(part) > length:
        entries = "1 entry" if length == 1 else f"{length} entries"
        raise _CantPlaceError(f"skips entries: {key_text(path)} has {entries}, next is {length}")
    return int(part)


def _child(here: Any, step: str | int) -> Any:
    if isinstance(here, dict):
        return here.get(str(step))
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None


def _set(data: dict[str, Any], path: KeyPath, value: Any) -> None:
    here: Any = data
    for step, following in itertools.pairwise(path):
        child = _child(here, step)
        if not isinstance(child, list if isinstance(following, int) else dict):
            child = [] if isinstance(following, int) else {}
            _put(here, step, child)
        here = child
    _put(here, path[-1], value)


def _put(here: Any, step: str | int, value: Any) -> None:
    if isinstance(here, list) and step == len(here):
        here.append(value)
    else:
        here[step] = value
