"""What is said about a configuration that can't be used.

A `Problem` is one line for the operator: where, which setting, what is wrong, what would be right.
No problem ever carries the value of a secret. How pydantic's errors become problems stands in
`explain`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

KeyPath = tuple[str | int, ...]

BAD_VALUE = "bad_value"
BAD_SECRET = "bad_secret"


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation.

    `where` is `file:line`, a file, or the name of an environment variable; `key` is the setting
    as `accounts[0].mode`, or empty when `where` says it all; `column` counts from 1.
    """

    where: str
    key: str
    what: str
    column: int | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.what) if part)


class ConfigError(Exception):
    """The configuration can't be used; `problems` holds every violation, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SettingProblems(ValueError):
    """Raised in a model's validator to complain about several settings below that model.

    Each pair is the path from the model to the setting and what is wrong with it, as
    `((("accounts", 3, "name"), "is taken by accounts[0]"),)`.
    """

    def __init__(self, problems: Iterable[tuple[KeyPath, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{key_text(path)} {what}" for path, what in self.problems))


def key_text(path: Iterable[str | int]) -> str:
    """`("accounts", 0, "mode")` as `accounts[0].mode`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def bad_value(what: str) -> PydanticCustomError:
    """Refuse a value; the report puts the value itself before `what`."""
    return PydanticCustomError(BAD_VALUE, "{what}", {"what": what})


def bad_secret(what: str) -> PydanticCustomError:
    """Refuse a value that must not be printed."""
    return PydanticCustomError(BAD_SECRET, "{what}", {"what": what})
