"""From pydantic's errors to problems: found in the text, and said in the operator's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from zhongkong.runtime.redaction import is_secret_name, scrub
from zhongkong.runtime.settings.document import Document
from zhongkong.runtime.settings.errors import (
    BAD_SECRET,
    BAD_VALUE,
    KeyPath,
    Problem,
    SettingProblems,
    key_text,
)
from zhongkong.runtime.settings.model import known_keys
from zhongkong.runtime.settings.overrides import Overrides

_MAX_SHOWN = 60

_EXPECTED_KINDS: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "path_type": "must be a path, as text",
    "none_required": "must stay empty",
    "list_type": "must be a list: [a, b], or one '- a' a line",
    "tuple_type": "must be a list: [a, b], or one '- a' a line",
    "set_type": "must be a list: [a, b], or one '- a' a line",
    "frozen_set_type": "must be a list: [a, b], or one '- a' a line",
    "dict_type": "must be a mapping: lines of 'key: value'",
    "model_type": "must be a mapping: lines of 'key: value'",
    "model_attributes_type": "must be a mapping: lines of 'key: value'",
}

_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "is too small: it must be more than {}"),
    "greater_than_equal": ("ge", "is too small: it must be at least {}"),
    "less_than": ("lt", "is too large: it must be less than {}"),
    "less_than_equal": ("le", "is too large: it must be at most {}"),
    "multiple_of": ("multiple_of", "must be a multiple of {}"),
    "string_too_short": ("min_length", "is too short: it needs at least {} characters"),
    "string_too_long": ("max_length", "is too long: it may have at most {} characters"),
    "string_pattern_mismatch": ("pattern", "does not fit the pattern {}"),
    "too_short": ("min_length", "has too few entries: at least {}"),
    "too_long": ("max_length", "has too many entries: at most {}"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the data came from: the file, and the variables laid over it."""

    document: Document
    overrides: Overrides
    data: Any

    def problem(self, path: KeyPath, what: str) -> Problem:
        """A problem with the setting at `path`, placed at the line or variable that made it."""
        if found := self.overrides.origin(path):
            set_path, variable = found
            return Problem(variable, key_text(path[len(set_path) :]), what)
        line, column = self.document.place(path)
        parent = path[:-1]
        unwritten = self.document.node_at(parent) is None
        if unwritten and (below := self.overrides.below(parent)):
            return Problem(below, key_text(path), what)
        return Problem(f"{self.document.name}:{line}", key_text(path), what, column)

    def written(self, path: KeyPath) -> str | None:
        """The scalar as the operator wrote it."""
        return None if self.overrides.origin(path) else self.document.scalar_text(path)


@dataclass(frozen=True, slots=True)
class _Complaint:
    """One pydantic error: its path in the data, and the member of a union that it speaks for."""

    path: KeyPath
    error: Mapping[str, Any]
    union: KeyPath | None = None
    member: str = ""

    @property
    def wrong_kind(self) -> bool:
        """True when the value as a whole isn't what this member of the union takes."""
        return self.path == self.union


def explain(error: ValidationError, model: type[BaseModel], origin: Origin) -> list[Problem]:
    """Every violation, in no certain order."""
    groups: dict[KeyPath | None, list[_Complaint]] = {}
    for details in error.errors(include_url=False):
        complaint = _complaint(details, origin.data)
        groups.setdefault(complaint.union, []).append(complaint)
    problems: list[Problem] = []
    for union, group in groups.items():
        chosen = group if union is None else _of_best_member(group)
        if union is not None and all(item.wrong_kind for item in chosen):
            words = dict.fromkeys(_say(item, model, origin) for item in chosen)
            problems.append(origin.problem(union, ", or ".join(words)))
            continue
        for item in chosen:
            problems.extend(_problems(item, model, origin))
    return list(dict.fromkeys(problems))


def _complaint(error: Mapping[str, Any], data: Any) -> _Complaint:
    """Follow pydantic's path through the data; what isn't there names a member of a union."""
    path: list[str | int] = []
    union: KeyPath | None = None
    member = ""
    here = data
    for index, part in enumerate(error["loc"]):
        last = index == len(error["loc"]) - 1
        if isinstance(here, dict) and part in here:
            path.append(part)
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
        elif last and error["type"] == "missing":
            path.append(part)
        elif union is None and part != "[key]":
            union, member = tuple(path), str(part)
    return _Complaint(tuple(path), error, union, member)


def _of_best_member(group: list[_Complaint]) -> list[_Complaint]:
    """The complaints of the member that the value resembles most; of all if it resembles none."""
    members: dict[str, list[_Complaint]] = {}
    for item in group:
        members.setdefault(item.member, []).append(item)
    fitting = [items for items in members.values() if not any(item.wrong_kind for item in items)]
    return min(fitting, key=len) if fitting else group


def _problems(item: _Complaint, model: type[BaseModel], origin: Origin) -> Iterator[Problem]:
    cause = item.error.get("ctx", {}).get("error")
    if isinstance(cause, SettingProblems):
        for below, what in cause.problems:
            yield origin.problem((*item.path, *below), scrub(what))
    else:
        yield origin.problem(item.path, _say(item, model, origin))


def _say(item: _Complaint, model: type[BaseModel], origin: Origin) -> str:
    """What is wrong, and what would be right. Scrubbed, whoever wrote the words."""
    kind, context = item.error["type"], item.error.get("ctx", {})
    shown = _shown(item.error["input"], item.path)
    if kind == "missing":
        words = "is missing; it is required"
    elif kind == "extra_forbidden":
        words = _unknown_key(str(item.path[-1]), known_keys(model, item.path[:-1]))
    elif kind in {"literal_error", "enum"}:
        choices = re.sub("'([^']*)'", r"\1", context["expected"].replace(" or ", ", "))
        words = f"{shown} is not one of {choices}"
    elif kind == BAD_SECRET:
        words = context["what"]
    elif kind == BAD_VALUE:
        words = f"{shown} {context['what']}"
    elif kind in _EXPECTED_KINDS:
        words = _wrong_kind(kind, item, shown, origin)
    elif kind in _LIMITS:
        name, form = _LIMITS[kind]
        empty = kind == "string_too_short" and item.error["input"] == ""
        words = "must not be empty" if empty else f"{shown} {form.format(context[name])}"
    else:
        words = str(context.get("error") or item.error["msg"])
    return scrub(words)


def _wrong_kind(kind: str, item: _Complaint, shown: str, origin: Origin) -> str:
    words = f"{_EXPECTED_KINDS[kind]}, not {shown}"
    value = item.error["input"]
    if kind in {"string_type", "path_type"} and isinstance(value, int | float):
        written = origin.written(item.path)
        if written is not None and not _is_private(item.path):
            words += f'; in quotes it is: "{written}"'
        else:
            words += "; put it in quotes"
    return words


def _shown(value: Any, path: KeyPath) -> str:
    """How a refused value is spoken of: never what may be a secret, and no collections."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if _is_private(path):
        return "this value"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _is_private(path: KeyPath) -> bool:
    return any(isinstance(part, str) and is_secret_name(part) for part in path)


def _unknown_key(key: str, known: list[str]) -> str:
    spellings = {_fold(name): name for name in known}
    near = difflib.get_close_matches(_fold(key), spellings, 1, 0.6)
    if near:
        return f"is not a setting; did you mean {spellings[near[0]]}?"
    return f"is not a setting here; known are {', '.join(sorted(set(known)))}"


def _fold(key: str) -> str:
    return key.casefold().replace("-", "_")
