"""What all settings classes have in common, and what can be asked of them.

Nothing here reads files or knows a service's settings.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from zhongkong.runtime.settings.errors import KeyPath


class Settings(BaseModel):
    """Frozen, refuses unknown keys, and never repeats a refused value in its own messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def notices(self) -> Iterable[tuple[KeyPath, str]]:
        """What is allowed but probably not meant; asked of the whole file's class alone."""
        return ()

    def landmarks(self) -> Iterable[KeyPath]:
        """Settings whose places in the file are kept; asked of the whole file's class alone."""
        return ()


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """Marks a field that is accepted but has no effect yet, as `Annotated[T, Unbuilt("…")]`.

    `what` says what the setting will do.
    """

    what: str


def key_of(name: str, field: FieldInfo) -> str:
    """The key under which a field stands in a file."""
    return field.alias or name


def unbuilt_in(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Unbuilt]]:
    """The settings below `value` that were given and have no effect yet."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        for name in fields:
            if name not in value.model_fields_set:
                continue
            field_path = (*path, key_of(name, fields[name]))
            marks = [mark for mark in fields[name].metadata if isinstance(mark, Unbuilt)]
            yield from ((field_path, mark) for mark in marks)
            if not marks:
                yield from unbuilt_in(getattr(value, name), field_path)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from unbuilt_in(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from unbuilt_in(item, (*path, str(key)))


def known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that may stand in the mapping at `path`; several models there: those of all."""
    found: list[Any] = [model]
    for part in path:
        found = [child for kind in found for child in _below(kind, part)]
    return [
        key_of(name, field)
        for kind in found
        for single in _alternatives(kind)
        if (class_ := as_model(single)) is not None
        for name, field in class_.model_fields.items()
    ]


def as_model(kind: Any) -> type[BaseModel] | None:
    """The model class that an annotation is, if it is one."""
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def models_in(kind: Any) -> list[type[BaseModel]]:
    """The model classes that an annotation mentions, at any depth."""
    model = as_model(kind)
    if model is not None:
        return [model]
    return [found for argument in get_args(kind) for found in models_in(argument)]


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    for single in _alternatives(kind):
        model, arguments = as_model(single), get_args(single)
        if model is not None:
            yield from (
                field.annotation
                for name, field in model.model_fields.items()
                if key_of(name, field) == part
            )
        elif isinstance(part, int) and arguments:
            yield arguments[0]
        elif isinstance(part, str) and len(arguments) == 2:
            yield arguments[1]


def _alternatives(kind: Any) -> Iterator[Any]:
    """The members of a union, or the type itself, freed of Annotated."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _alternatives(get_args(kind)[0])
    elif origin in {Union, types.UnionType}:
        for member in get_args(kind):
            yield from _alternatives(member)
    else:
        yield kind
