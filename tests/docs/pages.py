"""What a page's tables say, and what a service has, in the same plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel
from typer.main import get_command

from zhongkong.runtime.settings.model import key_of, models_in

if TYPE_CHECKING:
    from typer import Typer

QUOTED = re.compile(r"`([^`]+)`")

EVERYWHERE = {"--config", "--key-file", "--help"}
"""Options that are told of all commands together."""

Table = list[list[str]]


def cells(table: Table, column: int) -> set[str]:
    """Whatever stands in backquotes in this column."""
    return {word for row in table if len(row) > column for word in QUOTED.findall(row[column])}


def settings_told(table: Table) -> set[str]:
    """The keys of the first column, where a row may go on with further keys of the same part."""
    told: set[str] = set()
    for row in table:
        part = ""
        for word in QUOTED.findall(row[0]):
            if word.startswith("."):
                told.add(part + word)
            else:
                told.add(word)
                part = word.rpartition(".")[0]
    return told


def keys_of(model: type[BaseModel], *, whole: frozenset[str] = frozenset()) -> Iterator[str]:
    """The settings of a model, `accounts[].name` those of a list, `targets.NAME.url` by name.

    Those in `whole` are not looked into.
    """
    for name, field in model.model_fields.items():
        key, nested = key_of(name, field), models_in(field.annotation)
        if not nested or name in whole:
            yield key
            continue
        written = str(field.annotation)
        inside = ".NAME" if written.startswith("dict") else "[]" if "tuple" in written else ""
        yield from (f"{key}{inside}.{key_of(*each)}" for each in nested[0].model_fields.items())


def log_lines_told(table: Table, logged: dict[str, set[str]]) -> dict[str, set[str]]:
    """Event to levels, of the rows that tell of what is logged."""
    return {
        event: {level.strip() for level in row[1].split(",")}
        for row in table
        if len(row) == 3
        for event in QUOTED.findall(row[0])
        if event in logged
    }


def commands_of(app: Typer) -> set[str]:
    """Every command as it is typed, without its options."""
    found: set[str] = set()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {name} if inner is None else {f"{name} {each}" for each in inner}
    return found


def options_amiss(table: Table, program: str, app: Typer) -> dict[str, set[str]]:
    """The options that are told of a command and that it lacks, or has and that are not told."""
    amiss: dict[str, set[str]] = {}
    for line in cells(table, 0):
        words = line.split(" ")
        command, depth = get_command(app), 1
        while words[0] == program and hasattr(command, "commands") and len(words) > depth:
            command, depth = command.commands.get(words[depth]), depth + 1
        if words[0] != program or command is None:
            continue
        there = {name for each in command.params for name in each.opts if name.startswith("--")}
        told = set(re.findall(r"--[a-z-]+", line))
        if wrong := (told ^ there) - EVERYWHERE:
            amiss[line] = wrong
    return amiss


def commands_told(table: Table, program: str, app: Typer) -> set[str]:
    """The commands that the first column shows as they are typed."""
    lines = {word for word in cells(table, 0) if word.startswith(f"{program} ")}
    return {
        command
        for command in commands_of(app)
        if any(re.match(rf"{program} {command}(?=\s|$)", line) for line in lines)
    }
