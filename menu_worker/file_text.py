"""The bytes of a desired file as a document that knows its lines: encodings, YAML or JSON.

What the keys mean is not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from menu_worker.json_nodes import MAX_VALUES, JsonReader, NotJson, TooMuch
from zhongkong.runtime.settings.composer import Composer
from zhongkong.runtime.settings.document import Document
from zhongkong.runtime.settings.errors import ConfigError, Problem
from zhongkong.runtime.settings.nodes import ScalarNode

if TYPE_CHECKING:
    from zhongkong.runtime.settings.nodes import Node

NOT_UTF8: Final = 65318
MALFORMED: Final = 47001

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_JSON_LIKE: Final = re.compile(r'\s*(?:\{\s*["}]|\[\s*[{\]])')
_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_PREDICATES: Final = ("is ", "has ", "starts ", "begins ", "ends ")
_CUT_OFF: Final = "ends in the middle; was it only half written?"
_ENOUGH: Final = 1024
"""Bytes by which an encoding is guessed."""


class Unreadable(Exception):
    """The text can't be read at all."""

    def __init__(self, what: str, line: int = 1, column: int = 1, code: int = MALFORMED) -> None:
        super().__init__(f"the file {what}" if what.startswith(_PREDICATES) else what)
        self.line = line
        self.column = column
        self.code = code


class _Literal(Composer):
    """Takes every value where it is written: a menu is for people to read, line by line."""

    _events = 0

    def take(self, event: yaml.Event) -> None:
        self._events += 1
        if self._events > 2 * MAX_VALUES:
            raise self._stop(event, f"has more than {MAX_VALUES} values")
        if getattr(event, "anchor", None) is not None:
            what = (
                "has an anchor (&) or an alias (*); write the value out, or quote it if it is text"
            )
            raise self._stop(event, what)
        super().take(event)


def read_text(data: bytes, name: str, *, is_json: bool = False) -> Document:
    """Parse the file `name`, as JSON where it says so or looks so. Raises Unreadable."""
    text = _decode(data)
    control = _CONTROL.search(text)
    if control is not None:
        what = f"has a control character (U+{ord(control[0]):04X}); remove it"
        raise Unreadable(what, *_place(text, control.start()))
    if not is_json and not _JSON_LIKE.match(text):
        return _yaml(text, name)
    try:
        return _json(text, name)
    except TooMuch as error:
        raise _unreadable(error) from None
    except NotJson as error:
        if is_json:
            raise _unreadable(error) from None
        try:
            return _yaml(text, name)  # `{button: []}` in a YAML file looks like JSON too.
        except Unreadable:
            raise _unreadable(error) from None


def place_of(problem: Problem) -> tuple[int, int]:
    """Line and column of a problem that names the file."""
    line = problem.where.rpartition(":")[2]
    return (int(line) if line.isdecimal() else 1, problem.column or 1)


def _decode(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        what = "begins with a byte order mark, which WeChat refuses; save it as UTF-8 without BOM"
        raise Unreadable(what, code=MALFORMED)
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    if encoding is None and b"\x00" in data[:_ENOUGH]:
        encoding = "UTF-16"
    try:
        if encoding is None:
            return data.decode()
        where = (1, 1)
    except UnicodeDecodeError as error:
        where = _place(data[: error.start].decode("utf-8", "replace"), None)
        if error.reason == "unexpected end of data":
            raise Unreadable(_CUT_OFF, *where) from None
        encoding = _guess(data)
    what = f"is {encoding}" if encoding else "is not UTF-8 text"
    raise Unreadable(f"{what}; save it as UTF-8", *where, code=NOT_UTF8)


def _guess(data: bytes) -> str | None:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    return "GBK" if any("\u4e00" <= sign <= "\u9fff" for sign in text) else None


def _place(text: str, at: int | None) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _json(text: str, name: str) -> Document:
    reader = JsonReader(text, name)
    root = reader.read() if text.strip() else _nothing()
    return Document(name, text, root, tuple(reader.problems))


def _unreadable(error: NotJson) -> Unreadable:
    return Unreadable(_CUT_OFF if error.at_end else str(error), error.line, error.column)


def _yaml(text: str, name: str) -> Document:
    composer = _Literal(name)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            composer.take(event)
    except ConfigError as error:
        problem = error.problems[0]
        raise Unreadable(problem.what, *place_of(problem)) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    except (yaml.YAMLError, UnicodeError):
        raise Unreadable("is not YAML text") from None
    return Document(name, text, composer.root or _nothing(), tuple(composer.problems))


def _nothing() -> Node:
    return ScalarNode(1, 1)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Unreadable("is not YAML text")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    what = f"is not YAML: {error.problem}"
    if mark.line >= len(lines):
        what = _CUT_OFF
    elif "\t" in line[: mark.column + 1] and not line[: mark.column].strip():
        what = "is indented with a tab; YAML wants spaces"
    elif line[mark.column : mark.column + 1] in {"@", "`", "%"}:
        what = "has text that begins with @, ` or % and needs quotes"
    elif "Unicode character escape" in (error.problem or ""):
        what = "has half a character as an escape (\\ud83d); write the character itself"
    elif error.problem and error.problem.startswith("mapping values"):
        what = "has a value with ': ' in it that needs quotes, or is indented wrongly"
    return Unreadable(what, mark.line + 1, mark.column + 1)
