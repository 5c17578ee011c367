"""Secrets that stand beside the configuration: in a file or in an environment variable.

A secret is written `{file: path}` or `{env: NAME}`, never in plain. It is read once while loading
and again by `refresh`; `reveal` never touches a file. When to refresh is the watcher's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from zhongkong.runtime.settings.errors import bad_secret
from zhongkong.runtime.settings.files import FileTrouble, Stamp, read_file, stamp_of

MAX_BYTES = 64 * 1024
HOW_TO_WRITE = "write {file: path} or {env: NAME}"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class SecretUnreadable(Exception):
    """The secret's source can't be read. The message names the source, never the value."""


class Secret:
    """A value from a file or a variable. Equal when the source is; never shown by repr or str."""

    __slots__ = ("_complaint", "_read", "_stamp", "_value", "path", "source")

    def __init__(self, source: tuple[str, str], read: Callable[[], str], path: Path | None) -> None:
        self.source = source
        """The kind, and the path or name."""
        self._read = read
        self._stamp: Stamp | None = None
        self._complaint: str | None = None
        self.path = path
        """The absolute path of a file secret, else None."""
        self._value = self._look()

    @classmethod
    def from_file(cls, path: Path) -> Secret:
        """Read the file now. Blocking; raises SecretUnreadable."""
        return cls(("file", str(path)), lambda: _read_secret_file(path), path)

    @classmethod
    def from_env(cls, name: str, environ: Mapping[str, str]) -> Secret:
        """Read the variable now; raises SecretUnreadable when it is unset or empty."""
        return cls(("env", name), lambda: _read_variable(name, environ), None)

    @classmethod
    def fixed(cls, value: str, name: str = "fixed") -> Secret:
        """Hold a value that some code made and that has no source to be read again."""
        return cls(("fixed", name), lambda: value, None)

    def reveal(self) -> str:
        """The value read last. No I/O."""
        return self._value

    def refresh(self) -> bool:
        """Read the source again; True when the value changed. Blocking; may be repeated.

        On trouble the old value stays, and SecretUnreadable is raised the first time that this
        trouble is met; while it lasts, later calls return False.
        """
        try:
            value = self._look()
        except SecretUnreadable as trouble:
            if str(trouble) == self._complaint:
                return False
            self._complaint = str(trouble)
            raise
        self._complaint = None
        changed = value != self._value
        self._value = value
        return changed

    @property
    def trouble(self) -> str | None:
        """Why the last refresh failed; None when it went well."""
        return self._complaint

    def looks_changed(self) -> bool:
        """True when the file is not the one that was read last. Blocking, but reads nothing."""
        return self.path is not None and _stamp_or_none(self.path) != self._stamp

    def _look(self) -> str:
        # The stamp is taken first: what changes between the two is then seen by the next look.
        if self.path is not None:
            self._stamp = _stamp_or_none(self.path)
        return self._read()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        kind, name = self.source
        return f"Secret({kind}: {name})"

    def reference(self) -> dict[str, str]:
        """How the secret is written in a configuration: `{"file": path}` or `{"env": name}`."""
        kind, name = self.source
        return {kind: name}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validate, serialization=core_schema.plain_serializer_function_ser_schema(_reference)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "description": "A secret kept outside of this file.",
            "oneOf": [_json_schema_of("file", "path"), _json_schema_of("env", "variable")],
        }


@runtime_checkable
class SecretSource(Protocol):
    """Finds the secrets of one configuration; given to pydantic as the validation's context."""

    def take(self, kind: str, name: str) -> Secret:
        """Raises SecretUnreadable."""


def _validate(value: Any, info: core_schema.ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str | int | float):
        raise bad_secret(f"a secret must not stand here in plain: {HOW_TO_WRITE}")
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"file", "env"}:
        raise bad_secret(f"a secret is named by its file or its variable: {HOW_TO_WRITE}")
    [(kind, name)] = value.items()
    if not isinstance(name, str) or not name or "\0" in name:
        raise bad_secret(f"the {kind} of a secret must be a name: {HOW_TO_WRITE}")
    if kind == "env" and not _VARIABLE.match(name):
        raise bad_secret("this is not the name of a variable: write {env: NAME}")
    if not isinstance(info.context, SecretSource):
        raise bad_secret("secrets can be read only while a configuration file is loaded")
    try:
        return info.context.take(kind, name)
    except SecretUnreadable as trouble:
        raise bad_secret(str(trouble)) from None


def _reference(secret: Secret) -> dict[str, str]:
    return secret.reference()


def _json_schema_of(kind: str, what: str) -> JsonSchemaValue:
    return {
        "type": "object",
        "properties": {kind: {"type": "string", "minLength": 1, "title": f"{kind}: {what}"}},
        "required": [kind],
        "additionalProperties": False,
    }


def _read_secret_file(path: Path) -> str:
    try:
        text = read_file(path, MAX_BYTES).data.decode()
    except FileTrouble as trouble:
        raise SecretUnreadable(f"the secret file {path} {trouble}") from None
    except UnicodeDecodeError:
        raise SecretUnreadable(f"the secret file {path} is not UTF-8 text") from None
    value = text.removesuffix("\n")
    if len(value) < len(text):
        value = value.removesuffix("\r")
    if not value:
        raise SecretUnreadable(f"the secret file {path} is empty")
    return value


def _read_variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        state = "empty" if name in environ else "not set"
        raise SecretUnreadable(f"the variable {name}, which should hold the secret, is {state}")
    return value


def _stamp_or_none(path: Path) -> Stamp | None:
    try:
        return stamp_of(path)
    except FileTrouble:
        return None
