"""What is sent in a caller's name: its request with one credential replaced, and nothing else.

That nothing else in it is a credential is seen to in `clearance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from token_service.proxy import refusals
from token_service.proxy.credentials import (
    BodyFields,
    Unswappable,
    added,
    put,
    put_in_body,
)
from token_service.proxy.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from token_service.proxy.ask import Ask, Place
    from token_service.proxy.body import Body


@dataclass(slots=True)
class Outgoing:
    """One call, ready but for its credential. `place` None: there is nothing to replace.

    `body` None: there is none, and then many calls may share this.
    """

    ask: Ask
    query: str = field(repr=False)
    headers: Sequence[bytes] = field(repr=False)
    place: Place | None
    body: Body | None = field(default=None, repr=False)
    fields: BodyFields = field(default=BodyFields(), repr=False)
    length: int | None = 0
    _ready: tuple[str, Outbound] | None = field(default=None, init=False, repr=False)

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent once more."""
        return self.body is None or self.body.repeatable

    def with_credential(self, value: str) -> Outbound:
        """The call with this value in its place. May be asked for again. Raises Refusal."""
        if self.body is not None:
            return self._with_body(self.body, value)
        if self._ready is None or self._ready[0] != value:
            self._ready = (value, self._outbound(self._query_with(value), b"", 0))
        return self._ready[1]

    def rest_of_body(self) -> bytes:
        """What is here of the body, without the credential that is going to be replaced in it."""
        place, data = self.place, b"" if self.body is None else self.body.data
        if place is None or not place.in_body:
            return data
        if not self.fields.form:
            return data.replace(place.value.encode("utf-8", "surrogateescape"), b"", 1)
        name = place.name.encode("utf-8", "surrogateescape")
        return b"&".join(each for each in data.split(b"&") if each.partition(b"=")[0] != name)

    def _with_body(self, body: Body, value: str) -> Outbound:
        place, data, length = self.place, body.data, self.length
        if place is not None and place.in_body:
            try:
                data = put_in_body(data, self.fields, place.name, place.value, value)
            except Unswappable:
                raise refusals.malformed(
                    f"{place.name} can't be replaced in this body; put it into the query."
                ) from None
            length = len(data)
        return self._outbound(
            self._query_with(value), data if body.whole else body.pieces(), length
        )

    def _query_with(self, value: str) -> str:
        place = self.place
        if place is None or place.in_body:
            return self.query
        if place.in_query is not None:
            return put(self.query, place.in_query, value)
        return added(self.query, place.name, value)

    def _outbound(
        self, query: str, body: bytes | AsyncIterable[bytes], length: int | None
    ) -> Outbound:
        ask = self.ask
        target = f"{ask.path}?{query}" if query else ask.path
        return Outbound(ask.method, target, self.headers, body, length, ask.only_reads)
