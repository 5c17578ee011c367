"""YAML text as plain data that remembers where each value stands.

What the keys mean is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from zhongkong.runtime.settings.composer import Composer
from zhongkong.runtime.settings.errors import ConfigError, KeyPath, Problem
from zhongkong.runtime.settings.nodes import MappingNode, Node, ScalarNode, child_of, plain

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text. `problems` are those that didn't keep it from being read."""

    name: str
    text: str
    root: Node
    problems: tuple[Problem, ...]

    def plain(self) -> Any:
        """The data as fresh dicts and lists; all keys are strings."""
        return plain(self.root)

    def place(self, path: KeyPath) -> tuple[int, int]:
        """Line and column of a setting, or of the nearest one above it that is written down."""
        node, place = self.root, (self.root.line, self.root.column)
        for part in path:
            child = child_of(node, part)
            if child is None:
                break
            spot = node.entries[str(part)] if isinstance(node, MappingNode) else child
            node, place = child, (spot.line, spot.column)
        return place

    def scalar_text(self, path: KeyPath) -> str | None:
        """A scalar as it is written, without its quotes; None when there is none."""
        node = self.node_at(path)
        return node.text if isinstance(node, ScalarNode) else None

    def node_at(self, path: KeyPath) -> Node | None:
        """What is written at `path`, if anything is."""
        node: Node | None = self.root
        for part in path:
            node = child_of(node, part)
        return node


def parse_document(data: bytes | str, name: str) -> Document:
    """Parse YAML; `name` is what problems call the text.

    Raises ConfigError with one problem when the text can't be read at all.
    """
    text = _decode(data, name) if isinstance(data, bytes) else data
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise _unreadable(name, line, "has a control character; remove it or write it as an escape")
    composer = Composer(name)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_problem(error, text, name) from None
    except (yaml.YAMLError, UnicodeError):
        raise _unreadable(name, 1, "is not YAML text") from None
    root = composer.root or MappingNode(1, 1)
    return Document(name, text, root, tuple(composer.problems))


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(name, line, "is not UTF-8 text; save the file as UTF-8") from None


def _unreadable(name: str, line: int, what: str) -> ConfigError:
    return ConfigError([Problem(f"{name}:{line}", "", what)])


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, name: str) -> ConfigError:
    """Only libyaml's fixed phrases are passed on: the text around the place may be a secret."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return _unreadable(name, 1, "is not YAML text")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    at = line[mark.column : mark.column + 1]
    what = f"is not YAML: {error.problem}"
    if at == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        what = "is indented with a tab; YAML wants spaces"
    elif at in {"@", "`", "%"}:
        what = f"text that begins with {at} needs quotes"
    elif error.problem and error.problem.startswith("mapping values"):
        what = "a value that contains ': ' needs quotes, or the line is indented wrongly"
    elif error.context and error.context_mark and error.context_mark.line != mark.line:
        what += f", {error.context} that begins on line {error.context_mark.line + 1}"
    return ConfigError([Problem(f"{name}:{mark.line + 1}", "", what, mark.column + 1)])
