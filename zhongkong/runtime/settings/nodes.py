"""The parts of a parsed YAML text: values that know where they stand.

How they are put together stands in `composer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """One value and its place; `line` and `column` count from 1."""

    line: int
    column: int
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class ScalarNode(Node):
    value: Scalar = None
    text: str = ""


@dataclass(slots=True)
class ListNode(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    line: int
    column: int
    value: Node


@dataclass(slots=True)
class MappingNode(Node):
    entries: dict[str, Entry] = field(default_factory=dict)


def child_of(node: Node | None, part: str | int) -> Node | None:
    """The value under a key or an index, if there is one."""
    if isinstance(node, MappingNode):
        entry = node.entries.get(part) if isinstance(part, str) else None
        return entry.value if entry else None
    if isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def plain(node: Node) -> Any:
    """The data as fresh dicts and lists; all keys are strings."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    raise AssertionError(node)
