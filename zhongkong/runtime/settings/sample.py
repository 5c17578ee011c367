"""Does a sample file show every setting with its default? For the tests of shipped samples."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from zhongkong.runtime.settings.document import Document
from zhongkong.runtime.settings.errors import KeyPath, key_text
from zhongkong.runtime.settings.model import key_of, models_in


def missing_from_sample(model: type[BaseModel], document: Document) -> list[str]:
    """The settings that the sample doesn't show, or shows with another value than the default.

    Required settings and those that are off or empty by default may show any value; the latter
    may also stand in a comment (`# key: value`). In a list or a mapping of models each setting
    must be shown by one entry at least.
    """
    return list(_missing(model, [document.plain()], (), document.text))


def _missing(model: type[BaseModel], shown: list[Any], path: KeyPath, text: str) -> list[str]:
    lacking: list[str] = []
    mappings = [value for value in shown if isinstance(value, dict)]
    for name, field in model.model_fields.items():
        key = key_of(name, field)
        field_path = (*path, key)
        values = [mapping[key] for mapping in mappings if key in mapping]
        if not values:
            if not (_is_off(field) and re.search(rf"(?m)^\s*#.*\b{re.escape(key)}:", text)):
                lacking.append(f"{key_text(field_path)} is not shown")
        elif nested := models_in(field.annotation):
            for inner in nested:
                lacking += _missing(inner, _entries(values), field_path, text)
        elif not _is_off(field) and not any(_is_default(field, value) for value in values):
            lacking.append(f"{key_text(field_path)} is shown with another value than its default")
    return lacking


def _is_off(field: FieldInfo) -> bool:
    """True when there is no default worth showing."""
    if field.is_required():
        return True
    default = field.get_default(call_default_factory=True, validated_data={})
    return default is None or default in ((), [], {}, frozenset(), "")


def _is_default(field: FieldInfo, value: Any) -> bool:
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    default = field.get_default(call_default_factory=True, validated_data={})
    try:
        return bool(adapter.validate_python(value) == default)
    except ValidationError:
        return False


def _entries(values: list[Any]) -> list[Any]:
    """Mappings, those in lists, and for mappings by name those below."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, list):
            found.extend(value)
        elif isinstance(value, dict):
            found.extend([value, *(inner for inner in value.values() if isinstance(inner, dict))])
    return found
