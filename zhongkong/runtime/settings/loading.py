"""From a file, an environment and a settings class to settings, or to all that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from zhongkong.runtime.settings.document import parse_document
from zhongkong.runtime.settings.errors import ConfigError, KeyPath, Problem
from zhongkong.runtime.settings.explain import Origin, explain
from zhongkong.runtime.settings.files import Content, FileTrouble, Stamp, read_file
from zhongkong.runtime.settings.model import Settings, unbuilt_in
from zhongkong.runtime.settings.overrides import apply_overrides
from zhongkong.runtime.settings.secret_shelf import SecretShelf
from zhongkong.runtime.settings.secrets import Secret

MAX_BYTES = 8 * 1024 * 1024

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """Valid settings and what they were made of."""

    settings: M
    path: Path
    secrets: tuple[Secret, ...]
    """Each secret that the settings name, once."""
    unbuilt: tuple[str, ...]
    """`file:line: key: …` for each setting given whose feature has no effect yet."""
    model: type[M]
    environ: Mapping[str, str] = field(repr=False)
    prefix: str
    stamp: Stamp = field(repr=False)
    digest: bytes = field(repr=False)
    """SHA-256 of the file's content."""
    notices: tuple[str, ...] = ()
    """`file:line: key: …` for what the settings themselves have to remark."""
    places: Mapping[KeyPath, str] = field(default_factory=dict, repr=False)
    """`file:line`, or the variable, of each landmark of the settings."""

    @property
    def base(self) -> Path:
        """The absolute folder that relative paths in the settings count from."""
        return base_of(self.path)

    @property
    def watched_files(self) -> tuple[Path, ...]:
        """The configuration file and the files of its secrets."""
        return (self.path, *(secret.path for secret in self.secrets if secret.path is not None))


def resolve_path(
    flag: Path | None, environ: Mapping[str, str], env_name: str, default: Path
) -> Path:
    """The configuration file: the flag's, else the variable's, else the default."""
    return flag or Path(environ.get(env_name) or default)


def base_of(path: Path) -> Path:
    """The folder that relative paths count from; a link to the file is not followed."""
    return path.absolute().parent


def load(
    model: type[M],
    path: Path,
    environ: Mapping[str, str],
    *,
    prefix: str,
    known: Iterable[Secret] = (),
) -> Loaded[M]:
    """Read and check the file, with the variables `<prefix>__…` laid over it.

    Secrets among `known` are taken over as they are, others are read. Blocking; may be repeated.
    Raises ConfigError with every violation.
    """
    content = read_config(path)
    return load_content(model, path, content, environ, prefix=prefix, known=known)


def read_config(path: Path) -> Content:
    """The file's bytes. Blocking; raises ConfigError."""
    try:
        return read_file(path, MAX_BYTES)
    except FileTrouble as trouble:
        hint = "; write it, or name another with --config" if not path.exists() else ""
        raise ConfigError(
            [Problem(str(path), "", f"the configuration file {trouble}{hint}")]
        ) from None


def load_content(
    model: type[M],
    path: Path,
    content: Content,
    environ: Mapping[str, str],
    *,
    prefix: str,
    known: Iterable[Secret] = (),
) -> Loaded[M]:
    """As `load`, for content that was read already."""
    document = parse_document(content.data, str(path))
    data = document.plain()
    if not isinstance(data, dict):
        what = "the file must hold a mapping: lines of 'key: value'"
        raise ConfigError([*document.problems, Problem(f"{path}:{document.root.line}", "", what)])
    overrides = apply_overrides(data, environ, prefix)
    origin = Origin(document, overrides, data)
    problems = [*document.problems, *overrides.problems]
    shelf = SecretShelf(base_of(path), environ, known)
    try:
        # Strict, and from JSON: lists become tuples and texts enums, but nothing else is bent.
        settings = model.model_validate_json(orjson.dumps(data), strict=True, context=shelf)
    except ValidationError as error:
        raise ConfigError(_in_order([*problems, *explain(error, model, origin)])) from None
    if problems:
        raise ConfigError(_in_order(problems))
    unbuilt = tuple(
        str(origin.problem(key, f"has no effect yet: {mark.what}"))
        for key, mark in unbuilt_in(settings)
    )
    digest = hashlib.sha256(content.data).digest()
    return Loaded(
        settings,
        path,
        shelf.taken,
        unbuilt,
        model,
        environ,
        prefix,
        content.stamp,
        digest,
        _notices(settings, origin),
        _places(settings, origin),
    )


def _notices(settings: BaseModel, origin: Origin) -> tuple[str, ...]:
    if not isinstance(settings, Settings):
        return ()
    return tuple(str(origin.problem(key, what)) for key, what in settings.notices())


def _places(settings: BaseModel, origin: Origin) -> Mapping[KeyPath, str]:
    if not isinstance(settings, Settings):
        return {}
    return {key: origin.problem(key, "").where for key in settings.landmarks()}


def _in_order(problems: list[Problem]) -> list[Problem]:
    """By line; those of variables last."""

    def place(problem: Problem) -> tuple[int, int]:
        line = problem.where.rpartition(":")[2]
        if problem.column is None or not line.isdecimal():
            return (1, 0)
        return (0, int(line))

    return sorted(problems, key=place)
