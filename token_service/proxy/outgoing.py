"""What is sent in a caller's name: its request with one credential replaced, and nothing else.

The last look before anything leaves: no key and no opaque token may stand in what stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from token_service.proxy import refusals
from token_service.proxy.answer import of_one_connection
from token_service.proxy.credentials import (
    BodyFields,
    Unswappable,
    added,
    put,
    put_in_body,
    without,
)
from token_service.proxy.forward import Outbound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from token_service.proxy.ask import Ask, Place
    from token_service.proxy.body import Body
    from token_service.proxy.sieve import Sieve

    RawHeaders = tuple[tuple[bytes, bytes], ...]

_STAYS_HERE: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"accept-encoding",
        b"authorization",
        b"cookie",
        b"expect",
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-request-id",
    }
)
"""Replaced, answered by us, or nobody's business outside."""
_STAYS_HERE_PREFIX: Final = b"x-forwarded-"
_REMEMBERED: Final = 512
_REMEMBERED_BYTES: Final = 2048


@dataclass(slots=True)
class Outgoing:
    """One call, ready but for its credential. `place` None: there is nothing to replace."""

    ask: Ask
    query: str = field(repr=False)
    headers: Sequence[bytes] = field(repr=False)
    body: Body = field(repr=False)
    fields: BodyFields = field(repr=False)
    length: int | None
    place: Place | None

    def look_through(self, sieve: Sieve) -> None:
        """Raises Refusal when a credential stands elsewhere than in its place.

        What isn't read yet of a large body is looked through on its way, headers by `Headers`.
        """
        ask = self.ask
        if ask.clean_for != sieve.identity:
            in_query = None if self.place is None else self.place.in_query
            line = f"{ask.path}\n{without(ask.query, in_query)}"
            if sieve.catches(line.encode("utf-8", "surrogateescape")):
                raise refusals.leak()
            ask.clean_for = sieve.identity
        if self.body.data and sieve.catches(self._body_without()):
            raise refusals.leak()

    def with_credential(self, value: str) -> Outbound:
        """The call with this value in its place. May be asked for again. Raises Refusal."""
        place, query, data = self.place, self.query, self.body.data
        length = self.length
        if place is not None and place.in_query is not None:
            query = put(query, place.in_query, value)
        elif place is not None and place.in_body:
            try:
                data = put_in_body(data, self.fields, place.name, place.value, value)
            except Unswappable:
                raise refusals.malformed(
                    f"{place.name} can't be replaced in this body; put it into the query."
                ) from None
            length = len(data)
        elif place is not None:
            query = added(query, place.name, value)
        ask = self.ask
        return Outbound(
            ask.method,
            f"{ask.path}?{query}" if query else ask.path,
            self.headers,
            data if self.body.whole else self.body.pieces(),
            length,
            ask.only_reads,
        )

    def _body_without(self) -> bytes:
        """The body without the credential that is going to be replaced in it."""
        place, data = self.place, self.body.data
        if place is None or not place.in_body:
            return data
        if not self.fields.form:
            return data.replace(place.value.encode("utf-8", "surrogateescape"), b"", 1)
        fields = data.split(b"&")
        name = place.name.encode("utf-8", "surrogateescape")
        return b"&".join(each for each in fields if each.partition(b"=")[0] != name)


class Headers:
    """Headers that were looked through; an SDK sends the same ones with every call."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], list[bytes]] = {}

    def forwarded(self, raw: RawHeaders, sieve: Sieve) -> list[bytes]:
        """The lines that go along. Raises Refusal when a credential stands in them."""
        key = (sieve.identity, raw)
        lines = self._known.get(key)
        if lines is None:
            lines = forwarded(raw)
            if sieve.catches(b"\n".join(lines)):
                raise refusals.leak()
            if sum(map(len, lines)) <= _REMEMBERED_BYTES:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = lines
        return lines


def forwarded(raw_headers: RawHeaders) -> list[bytes]:
    """The header lines that go along. Of encodings, only those we can look into are accepted."""
    dropped = of_one_connection(raw_headers)
    lines: list[bytes] = []
    encoding = b"identity"
    for name, value in raw_headers:
        lower = name.lower()
        if lower == b"accept-encoding" and b"gzip" in value.lower():
            encoding = b"gzip"
        if lower in dropped or lower in _STAYS_HERE or lower.startswith(_STAYS_HERE_PREFIX):
            continue
        lines.append(b"%b: %b" % (name, value))
    lines.append(b"Accept-Encoding: " + encoding)
    return lines
