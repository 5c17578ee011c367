"""JSON text as nodes that know their line and column, with every duplicate key found.

YAML's parser isn't used for it: it refuses the escapes by which JSON writes emoji.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Final

from zhongkong.runtime.settings.errors import Problem
from zhongkong.runtime.settings.nodes import Entry, ListNode, MappingNode, Node, ScalarNode

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000
"""A hundred full menus have fewer."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"[A-Za-z_$0-9.+-]+")
_WORDS: Final = {"true": True, "false": False, "null": None}
_DIGITS: Final = 18
"""Of whole numbers that every reader of JSON takes alike."""


class NotJson(Exception):
    """The text isn't JSON, as the message says; `at_end`: as far as it goes, it could be."""

    def __init__(self, line: int, column: int, what: str, *, at_end: bool = False) -> None:
        super().__init__(what)
        self.line = line
        self.column = column
        self.at_end = at_end


class TooMuch(NotJson):
    """It may be JSON, and is no menu."""


class JsonReader:
    """Reads one text. `problems` are those that didn't keep it from being read."""

    def __init__(self, text: str, name: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._name = name
        self._at = 0
        self._values = 0
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def read(self) -> Node:
        """The whole document. Raises NotJson."""
        node = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._stop("there is more after the end of the document")
        return node

    def _value(self, depth: int) -> Node:
        self._skip()
        self._values += 1
        if depth > MAX_DEPTH:
            raise TooMuch(*self._place(self._at), f"is nested more than {MAX_DEPTH} levels deep")
        if self._values > MAX_VALUES:
            raise TooMuch(*self._place(self._at), f"has more than {MAX_VALUES} values")
        match self._text[self._at : self._at + 1]:
            case "{":
                return self._mapping(depth)
            case "[":
                return self._list(depth)
            case '"':
                line, column = self._place(self._at)
                text = self._string()
                return ScalarNode(line, column, value=text, text=text)
            case _:
                return self._bare()

    def _mapping(self, depth: int) -> MappingNode:
        node = MappingNode(*self._place(self._at))
        self._at += 1
        while self._goes_on("}", first=not node.entries):
            line, column = self._place(self._at)
            if self._text[self._at : self._at + 1] != '"':
                raise self._stop('a key in double quotes or "}" should stand here')
            key = self._string()
            self._skip()
            self._expect(":")
            value = self._value(depth + 1)
            if key in node.entries:
                what = f"is given twice; the first stands on line {node.entries[key].line}"
                self.problems.append(Problem(f"{self._name}:{line}", key, what, column))
            else:
                node.entries[key] = Entry(line, column, value)
        return node

    def _list(self, depth: int) -> ListNode:
        node = ListNode(*self._place(self._at))
        self._at += 1
        while self._goes_on("]", first=not node.items):
            node.items.append(self._value(depth + 1))
        return node

    def _goes_on(self, end: str, *, first: bool) -> bool:
        """Step over a comma to the next entry, or over the end."""
        self._skip()
        sign = self._text[self._at : self._at + 1]
        if sign == end:
            self._at += 1
            return False
        if not first:
            self._expect(",", f'"," or "{end}"')
            self._skip()
            if self._text[self._at : self._at + 1] == end:
                raise self._stop("a comma before the end; JSON has none there")
        return True

    def _string(self) -> str:
        try:
            text, self._at = scanstring(self._text, self._at + 1, True)  # noqa: FBT003
        except JSONDecodeError as error:
            self._at = len(self._text) if error.msg.startswith("Unterminated") else error.pos
            raise self._stop(error.msg.lower()) from None
        return str(text)

    def _bare(self) -> ScalarNode:
        line, column = self._place(self._at)
        found = _NUMBER.match(self._text, self._at)
        word = _WORD.match(self._text, self._at)
        if word is None or (word[0] not in _WORDS and (found is None or found[0] != word[0])):
            raise self._stop(
                f"a value should stand here{_quotes(self._text[self._at : self._at + 1])}"
            )
        self._at = word.end()
        text = word[0]
        if text in _WORDS:
            return ScalarNode(line, column, value=_WORDS[text], text=text)
        if not text.lstrip("-").isdecimal():
            return ScalarNode(line, column, value=float(text), text=text)
        if len(text) <= _DIGITS:
            return ScalarNode(line, column, value=int(text), text=text)
        what = "a number so long is read differently by others; text belongs in quotes"
        self.problems.append(Problem(f"{self._name}:{line}", "", what, column))
        return ScalarNode(line, column, value=text, text=text)

    def _expect(self, sign: str, wanted: str = "") -> None:
        if self._text[self._at : self._at + 1] != sign:
            wanted = wanted or f'"{sign}"'
            raise self._stop(f"{wanted} should stand here")
        self._at += 1

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1

    def _stop(self, what: str) -> NotJson:
        at_end = self._at >= len(self._text)
        return NotJson(*self._place(self._at), f"is not JSON: {what}", at_end=at_end)


def _quotes(sign: str) -> str:
    return "; JSON texts stand in double quotes" if sign == "'" else ""
