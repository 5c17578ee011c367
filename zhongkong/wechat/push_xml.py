"""XML as WeChat writes it: elements with texts, no attributes that mean anything. PURE.

Reading refuses a DOCTYPE before the parser sees it, so that no entity can be declared, and takes
UTF-8 alone. What the elements mean is told in `catalogue`; formats are chosen in `push`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

from zhongkong.wechat.malformed import MAX_DEPTH, MAX_NODES, PushMalformed

if TYPE_CHECKING:
    from collections.abc import Sequence

# Nothing but a declaration of UTF-8 may precede the root: a DOCTYPE is legal only there.
_PROLOG: Final = re.compile(
    rb"""(?:<\?xml[ \t\r\n]+version=["']1\.0["']
    (?:[ \t\r\n]+encoding=["'][Uu][Tt][Ff]-8["'])?
    (?:[ \t\r\n]+standalone=["'](?:yes|no)["'])?[ \t\r\n]*\?>[ \t\r\n]*)?
    <[A-Za-z_]""",
    re.VERBOSE,
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BLANKS: Final = " \t\r\n"

_ROOT: Final = b"<xml>"
_FLAT_FIELD: Final = re.compile(
    r"[ \t\n]*<([A-Za-z_][A-Za-z0-9_]{0,127})>"
    r"(?:<!\[CDATA\[([^\]]*)\]\]>|([^<&\]]*))</\1>"
)
_FLAT_END: Final = re.compile(r"[ \t\n]*</xml>[ \t\n]*")
_FLAT_AT_MOST: Final = 64


def read_xml(body: bytes) -> dict[str, Any]:
    """The children of the root: text, or a dict, or a list where an element holds only `item`s.

    Inside a child, other repeated elements become a list as well. Comments, processing
    instructions and attributes are passed over. Raises PushMalformed.
    """
    usual = flat_fields(body)
    return parsed(body) if usual is None else usual


def flat_fields(body: bytes) -> dict[str, Any] | None:
    """The fields of the shape that nearly all pushes have: texts right below the root.

    None for every other body, good or bad: what it takes, `parsed` takes with the same result. It
    needs a third of the time.
    """
    if not body.startswith(_ROOT) or b"\r" in body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    fields: dict[str, Any] = {}
    place = len(_ROOT)
    while field := _FLAT_FIELD.match(text, place):
        name, cdata, plain = field.groups()
        if name in fields or len(fields) == _FLAT_AT_MOST:
            return None
        fields[name] = plain if cdata is None else cdata
        place = field.end()
    if not fields or not _FLAT_END.fullmatch(text, place) or _NOT_XML.search(text):
        return None
    return fields


def parsed(body: bytes) -> dict[str, Any]:
    """What `read_xml` says, by the parser. Raises PushMalformed."""
    if not _PROLOG.match(body):
        raise PushMalformed("the XML begins with something else than UTF-8 XML without a DOCTYPE")
    tree = _Tree()
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.texts.append
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes no keywords
    except ExpatError:
        raise PushMalformed("the XML is not well-formed") from None
    return tree.root


class _Tree:
    """What expat reports, put together. The levels above the current element wait in a stack."""

    __slots__ = ("_children", "_nodes", "_stack", "root", "texts")

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.texts: list[str] = []
        self._children: dict[str, Any] | None = None
        self._stack: list[dict[str, Any]] = []
        self._nodes = 0

    def start(self, _name: str, _attributes: object) -> None:
        stack = self._stack
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise PushMalformed(f"the XML has more than {MAX_NODES} elements")
        if len(stack) == MAX_DEPTH:
            raise PushMalformed(f"the XML is nested deeper than {MAX_DEPTH} elements")
        self._refuse_text()
        children = self._children
        stack.append({} if children is None else children)
        self._children = None

    def end(self, name: str) -> None:
        value: Any = self._children
        siblings = self._stack.pop()
        if not self._stack:
            self._refuse_text()
            self.root = value or {}
            return
        if value is None:
            value = "".join(self.texts)
            self.texts.clear()
        else:
            self._refuse_text()
            if len(value) == 1 and "item" in value:
                value = value["item"]
        self._children = siblings
        self._add(siblings, name, value)

    def _add(self, siblings: dict[str, Any], name: str, value: Any) -> None:
        if name == "item" and len(self._stack) > 1:
            siblings.setdefault(name, []).append(value)
        elif name not in siblings:
            siblings[name] = value
        elif len(self._stack) == 1:
            raise PushMalformed("the XML has a field twice")
        elif isinstance(siblings[name], _Repeated):
            siblings[name].append(value)
        else:
            siblings[name] = _Repeated((siblings[name], value))

    def _refuse_text(self) -> None:
        if self.texts:
            if "".join(self.texts).strip(_BLANKS):
                raise PushMalformed("the XML has text between elements")
            self.texts.clear()


class _Repeated(list[Any]):
    """The values of an element that came more than once; a plain list is one element's value."""


def write_xml(fields: Mapping[str, Any]) -> bytes:
    """A root `xml`: texts as CDATA, numbers bare, lists as `item`s. Raises PushMalformed.

    A list whose own name is `item` gets no element around it.
    """
    text = f"<xml>{_elements(fields)}</xml>"
    if _NOT_XML.search(text):
        raise PushMalformed("a text holds a character that XML can't carry")
    return text.encode()


def is_carried(text: str) -> bool:
    """True when XML can carry every character of the text."""
    return _NOT_XML.search(text) is None


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join([_element(name, value) for name, value in fields.items()])


def _element(name: str, value: Any) -> str:
    if not _NAME.fullmatch(name):
        raise PushMalformed("a field's name is no name of an XML element")
    if name == "item" and isinstance(value, list | tuple):
        return _items(value)  # WeChat puts a count beside the items of some lists
    return f"<{name}>{_content(value)}</{name}>"


def _items(values: Sequence[Any]) -> str:
    return "".join([f"<item>{_content(value)}</item>" for value in values])


def _content(value: Any) -> str:
    if isinstance(value, str):
        return _cdata(value)
    if isinstance(value, Mapping):
        return _elements(value)
    if isinstance(value, list | tuple):
        return _items(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return str(value)
    raise PushMalformed("a field holds what XML can't carry")


def _cdata(text: str) -> str:
    """Two things can't stand in CDATA: its own end, and a carriage return, which XML changes."""
    text = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<![CDATA[{text}]]>"
