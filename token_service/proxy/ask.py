"""PURE: what the request line of a call says, read once however often the same line comes.

An SDK that sends messages repeats one line all day, token included; what was read and looked
through of it is remembered. Whether its token is good is asked anew each time, in `admission`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from token_service.proxy import refusals
from token_service.proxy.credentials import (
    SECRET_NAMES,
    TOKEN_NAMES,
    BodyFields,
    Field,
    Twice,
    one_of,
    query_fields,
    without,
)
from token_service.proxy.paths import BadPath, PathClass, normalise, only_reads

if TYPE_CHECKING:
    from token_service.proxy.paths import PathRules
    from token_service.proxy.sieve import Sieve

METHODS: Final = frozenset({"GET", "HEAD", "POST"})

_REMEMBERED: Final = 1024
_REMEMBERED_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a credential stands: in this field of the query or of the body, or nowhere yet.

    `name` is the field's name, `value` what the caller put there.
    """

    name: str
    value: str = field(default="", repr=False)
    in_query: Field | None = field(default=None, repr=False)
    in_body: bool = False


@dataclass(slots=True)
class Ask:
    """A request line. `place` is that of the credential, where the query holds it.

    `only_reads`: nothing happens if it is carried out twice.
    """

    method: str
    path: str
    query: str = field(repr=False)
    fields: list[Field] = field(repr=False)
    path_class: PathClass
    place: Place | None
    only_reads: bool
    _clean_for: tuple[str, int] | None = field(default=None, init=False, repr=False)

    @classmethod
    def read(cls, method: str, raw_path: str, query: str, rules: PathRules) -> Ask:
        """Raises Refusal for what nobody may ask."""
        try:
            path = normalise(raw_path)
        except BadPath as error:
            raise refusals.bad_path(str(error)) from None
        if method not in METHODS:
            raise refusals.wrong_method()
        path_class = rules.classify(path)
        if path_class is PathClass.DENIED:
            raise refusals.denied()
        fields = query_fields(query) if query else []
        ask = cls(method, path, query, fields, path_class, None, only_reads(method, path))
        token, secret = ask.one_of(TOKEN_NAMES), ask.one_of(SECRET_NAMES)
        if path_class is not PathClass.SECRET and secret is not None:
            raise refusals.secret_on_unknown_path()
        found = {PathClass.APP: token, PathClass.SECRET: secret}.get(path_class)
        if found is not None:
            ask.place = Place(found.name, found.value, in_query=found)
        return ask

    def one_of(self, names: frozenset[str]) -> Field | None:
        """The one query field with one of these names. Raises Refusal when there are two."""
        try:
            return one_of(self.fields, names)
        except Twice as error:
            raise refusals.malformed(f"{error}.") from None

    def clean(self, sieve: Sieve, place: Field | None) -> bool:
        """Whether no credential stands in path or query but at this place of the query.

        Equal sieves needn't look again.
        """
        if self._clean_for != sieve.identity:
            query = without(self.query, place).encode("utf-8", "surrogateescape")
            if sieve.catches(self.path.encode() + b"\n" + query) or sieve.catches_packed(query):
                return False
            self._clean_for = sieve.identity
        return True

    def appid(self, body: BodyFields | None = None) -> str | None:
        """The appid in the query, else in the body. Raises Refusal."""
        found = self.one_of(_APPID)
        if found is not None:
            return found.value
        return None if body is None else body.last("appid")

    def place_with(self, body: BodyFields) -> Place | None:
        """Where the credential stands, in the query or in the body. Raises Refusal."""
        if self.path_class is not PathClass.SECRET and any(
            name in SECRET_NAMES for name, _ in body.pairs
        ):
            raise refusals.secret_on_unknown_path()
        names = _CREDENTIAL.get(self.path_class)
        if names is None or not body.pairs:
            return self.place
        try:
            in_body = body.one_of(names)
        except Twice as error:
            raise refusals.malformed(f"{error}.") from None
        if in_body is None:
            return self.place
        if self.place is not None:
            raise refusals.malformed(f"{Twice(in_body[0])}.")
        return Place(*in_body, in_body=True)


_APPID: Final = frozenset({"appid"})
_CREDENTIAL: Final = {PathClass.APP: TOKEN_NAMES, PathClass.SECRET: SECRET_NAMES}


class Asks:
    """Request lines as they were read. Callers choose them, so they are bounded."""

    def __init__(self, rules: PathRules) -> None:
        self._rules = rules
        self._known: dict[tuple[str, str], Ask] = {}

    def known(self, method: str, target: str) -> Ask | None:
        return self._known.get((method, target))

    def read(self, method: str, target: str, raw_path: str) -> Ask:
        """Read the line `target`; the path in it that counts is `raw_path`. Raises Refusal."""
        ask = Ask.read(method, raw_path, target.partition("?")[2], self._rules)
        if len(target) <= _REMEMBERED_CHARACTERS:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[method, target] = ask
        return ask
