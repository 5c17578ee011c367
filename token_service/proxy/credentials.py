"""PURE: where a caller's credential stands in a request, and how another is put in its place.

Everything around it keeps its bytes. Whether a credential is good is decided in `service`; that no
other one leaves is seen to by `sieve`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN_NAMES: Final = frozenset({"access_token"})
SECRET_NAMES: Final = frozenset({"secret", "appsecret"})

_MENTIONS: Final = re.compile(rb"access_token|secret|appid|\\u00", re.IGNORECASE)
_FORM: Final = re.compile(rb"[A-Za-z0-9_.%+\[\]-]+=[!-~]*\Z")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~-]*\Z")
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


class Twice(ValueError):
    """A credential is given more than once. The message names the field."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is given twice; give it once")


class Unswappable(ValueError):
    """The credential stands there in a spelling in which it can't be replaced."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a query or a form. `start` and `end` bound its value as it was written."""

    name: str
    value: str = field(repr=False)
    start: int
    end: int


def query_fields(query: str) -> list[Field]:
    """The fields of a query in their order; those without `=` have an empty value."""
    found: list[Field] = []
    at = 0
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        start = at + len(name) + len(equals)
        found.append(Field(_unquoted(name), _unquoted(value), start, at + len(part)))
        at += len(part) + 1
    return found


def one_of(fields: Iterable[Field], names: frozenset[str]) -> Field | None:
    """The one field with one of these names. Raises Twice."""
    found = None
    for each in fields:
        if each.name in names:
            if found is not None:
                raise Twice(each.name)
            found = each
    return found


def put(text: str, place: Field, value: str) -> str:
    """The query or form with another value at this place."""
    return text[: place.start] + _quoted(value) + text[place.end :]


def added(query: str, name: str, value: str) -> str:
    """The query with one more field at its end."""
    pair = f"{name}={_quoted(value)}"
    return f"{query}&{pair}" if query else pair


@dataclass(frozen=True, slots=True)
class BodyFields:
    """What the top level of a small JSON or form body says; others say nothing.

    `pairs` are names and text values in their order, repetitions included.
    """

    form: bool = False
    pairs: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def one_of(self, names: frozenset[str]) -> tuple[str, str] | None:
        """Name and value of the one field with one of these names. Raises Twice."""
        found = [pair for pair in self.pairs if pair[0] in names]
        if len(found) > 1:
            raise Twice(found[0][0])
        return found[0] if found else None

    def last(self, name: str) -> str | None:
        """The value of a field that may be repeated, as most readers take it."""
        return dict(self.pairs).get(name)


def body_fields(body: bytes, content_type: str) -> BodyFields:
    """Read a body by what it looks like, whatever its header says. Never raises."""
    start = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"{":
        return BodyFields(pairs=_json_pairs(body)) if _MENTIONS.search(body) else BodyFields()
    if content_type.lower().startswith(_FORM_TYPE) or _FORM.match(body):
        fields = query_fields(body.decode("utf-8", "surrogateescape"))
        return BodyFields(form=True, pairs=tuple((each.name, each.value) for each in fields))
    return BodyFields()


def put_in_body(body: bytes, fields: BodyFields, name: str, old: str, new: str) -> bytes:
    """The body with `new` in place of `old`, which stands in the field `name`.

    Raises Unswappable where `old` isn't written plainly, or stands elsewhere as well.
    """
    if fields.form:
        text = body.decode("utf-8", "surrogateescape")
        place = one_of(query_fields(text), frozenset({name}))
        if place is None:
            raise Unswappable(name)
        return put(text, place, new).encode("utf-8", "surrogateescape")
    written = b'"' + old.encode("utf-8", "surrogateescape") + b'"'
    if body.count(written) != 1:
        raise Unswappable(name)
    return body.replace(written, json.dumps(new, ensure_ascii=False).encode())


def without(text: str, place: Field | None) -> str:
    """The query without the value at this place: what is left has to stand a look for leaks."""
    return text if place is None else text[: place.start] + text[place.end :]


def _json_pairs(body: bytes) -> tuple[tuple[str, str], ...]:
    try:
        document = json.loads(body, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(document, _Members):
        return ()
    return tuple((name, _text(value)) for name, value in document)


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object in their order, repeated names included."""


def _text(value: Any) -> str:
    """Texts as they are; what is no text only matters by being there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""


def _quoted(value: str) -> str:
    """Percent-encoded where it has to be; tokens rarely have."""
    return value if _UNRESERVED.match(value) else quote(value, safe="")


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text
