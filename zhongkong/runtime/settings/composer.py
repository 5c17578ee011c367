"""From the events of PyYAML's C parser to nodes.

PyYAML's own composer isn't used: it recurses in C (deep nesting crashes the process), takes the
last of two equal keys and expands aliases without bound. Scalars follow YAML 1.2 where 1.1
surprises: `on`, `no`, `12:30` and dates are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from zhongkong.runtime.settings.errors import ConfigError, KeyPath, Problem, key_text
from zhongkong.runtime.settings.nodes import (
    Entry,
    ListNode,
    MappingNode,
    Node,
    Scalar,
    ScalarNode,
)

MAX_DEPTH = 32
MAX_ALIASED = 100_000
"""How many values aliases may add to those that are written out."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    word: truth
    for truth, words in ((True, ("true", "True", "TRUE")), (False, ("false", "False", "FALSE")))
    for word in words
}
_NUMBER_START = frozenset("+-.0123456789")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FRACTION = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})?\.[0-9]{1,30}(?:[eE][-+]?[0-9]{1,3})?\Z")
_AMBIGUOUS = re.compile(r"[-+]?(?:0[0-9]+|[0-9]{19,})\Z")
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(slots=True)
class _Frame:
    node: ListNode | MappingNode
    anchor: str | None
    key: ScalarNode | None = None
    merges: list[Node] = field(default_factory=list)


class Composer:
    """Builds nodes from events with a stack of its own."""

    def __init__(self, name: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._name = name
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._aliased = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event), event.anchor)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent() if self.root is not None:
                raise self._stop(event, "starts a second document; one file holds one")
            case _:
                pass

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        line, column = _start(event)
        text: str = event.value
        if event.tag not in {None, "!", _TEXT_TAG}:
            self._refuse_tag(event)
        if event.style or event.tag is not None or self._awaits_key():
            return ScalarNode(line, column, value=text, text=text)
        if _AMBIGUOUS.match(text):
            # Readers of YAML take it for octal, decimal or text. It may be a secret: not printed.
            what = "a number with leading zeros, or so long, is ambiguous; text belongs in quotes"
            self._note(line, column, self._path(), what)
            return ScalarNode(line, column, value=text, text=text)
        return ScalarNode(line, column, value=plain_scalar(text), text=text)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if event.tag not in {None, "!"}:
            self._refuse_tag(event)
        if self._awaits_key():
            raise self._stop(event, "a list or mapping can't be a key; a '{' or '[' needs quotes")
        if len(self._stack) >= MAX_DEPTH:
            raise self._stop(event, f"is nested more than {MAX_DEPTH} levels deep")
        kind = MappingNode if isinstance(event, yaml.MappingStartEvent) else ListNode
        node = kind(*_start(event))
        self._stack.append(_Frame(node, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        if isinstance(frame.node, MappingNode):
            for source in frame.merges:
                self._merge(frame.node, source)
            children = [entry.value for entry in frame.node.entries.values()]
        else:
            children = frame.node.items
        frame.node.size += sum(child.size for child in children)
        frame.node.height += max((child.height for child in children), default=0)
        self._add(frame.node, frame.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise self._stop(event, "a '*' stands before text that no '&' names; quote it if text")
        if self._awaits_key() and not isinstance(node, ScalarNode):
            raise self._stop(event, "a list or mapping can't be a key")
        self._aliased += node.size
        if self._aliased > MAX_ALIASED or len(self._stack) + node.height > MAX_DEPTH:
            raise self._stop(event, "the aliases expand to too much; write the values out")
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if isinstance(frame.node, ListNode):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = node if isinstance(node, ScalarNode) else None
        else:
            self._add_entry(frame, frame.node, frame.key, node)
            frame.key = None

    def _add_entry(self, frame: _Frame, mapping: MappingNode, key: ScalarNode, value: Node) -> None:
        if key.text == "<<":
            frame.merges.append(value)
            return
        first = mapping.entries.get(key.text)
        if first is not None:
            what = f"is given twice; the first stands on line {first.line}"
            self._note(key.line, key.column, self._path(), what)
            return
        mapping.entries[key.text] = Entry(key.line, key.column, value)

    def _merge(self, target: MappingNode, source: Node) -> None:
        for part in source.items if isinstance(source, ListNode) else [source]:
            if not isinstance(part, MappingNode):
                self._note(part.line, part.column, self._path(), "'<<' takes mappings only")
                continue
            for key, entry in part.entries.items():
                if key not in target.entries:
                    target.entries[key] = entry

    def _awaits_key(self) -> bool:
        frame = self._stack[-1] if self._stack else None
        return frame is not None and isinstance(frame.node, MappingNode) and frame.key is None

    def _path(self) -> KeyPath:
        return tuple(_parts(self._stack))

    def _note(self, line: int, column: int, path: KeyPath, what: str) -> None:
        self.problems.append(Problem(f"{self._name}:{line}", key_text(path), what, column))

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        what = "text that begins with '!' needs quotes; YAML tags are not supported"
        self._note(*_start(event), self._path(), what)

    def _stop(self, event: yaml.Event, what: str) -> ConfigError:
        line, column = _start(event)
        return ConfigError([Problem(f"{self._name}:{line}", key_text(self._path()), what, column)])


def plain_scalar(text: str) -> Scalar:
    """What an unquoted scalar means: null, true, false, a number, or else the text itself."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] in _NUMBER_START:
        if _WHOLE.match(text):
            return int(text)
        if _FRACTION.match(text):
            return float(text)
    return text


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _parts(stack: list[_Frame]) -> Iterator[str | int]:
    for frame in stack:
        if isinstance(frame.node, ListNode):
            yield len(frame.node.items)
        elif frame.key is not None:
            yield frame.key.text
