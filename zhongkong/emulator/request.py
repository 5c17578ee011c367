"""A request as the platform sees it: parsed leniently, never refused for its form here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import orjson

from zhongkong.emulator.contents import BytesContent
from zhongkong.emulator.multipart import parts_of
from zhongkong.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.contents import Content
    from zhongkong.emulator.multipart import Part
    from zhongkong.emulator.uploads import Upload

_SLASHES: Final = re.compile(r"/{2,}")
_CUT: Final = re.compile(r"((?:secret|appsecret|access_token)=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call. `path` has single slashes; `query` keeps the first of repeated names.

    A body too large to be held is in `upload`, and `body` is empty then.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    raw_target: str = field(default="", repr=False)
    peer: str = "127.0.0.1"
    upload: Upload | None = field(default=None, repr=False)

    @classmethod
    def from_wire(
        cls,
        method: str,
        target: str,
        *,
        peer: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> ApiRequest:
        """From the request line's target. Any text gives some request; nothing is raised."""
        raw_path, _, raw_query = target.partition("?")
        pairs = parse_qsl(raw_query, keep_blank_values=True, errors="replace")
        return cls(
            method=method.upper(),
            path=_SLASHES.sub("/", unquote(raw_path, errors="replace")),
            query=dict(reversed(pairs)),
            body=body,
            headers=headers,
            raw_target=target,
            peer=peer,
        )

    def header(self, name: str) -> str:
        """Its first value, whatever the case of the name; empty when there is none."""
        return next((value for each, value in self.headers if each.lower() == name), "")

    def content(self) -> Content:
        """The body, held or not."""
        return BytesContent(self.body) if self.upload is None else self.upload.content

    def parts(self) -> tuple[Part, ...]:
        """The fields of a multipart body; none of any other."""
        if self.upload is not None:
            return self.upload.parts
        return parts_of(self.content(), self.header("content-type"))

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Refused with 44002 when empty, 47001 when it is no object."""
        if not self.body.strip():
            raise Refusal(44002)
        try:
            parsed = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Refusal(47001) from None
        if not isinstance(parsed, dict):
            raise Refusal(47001)
        return parsed

    def fields(self) -> dict[str, Any]:
        """Query and body together, for those who only want to know what is in there."""
        try:
            return {**self.query, **self.json()}
        except Refusal:
            return dict(self.query)

    def texts(self) -> list[tuple[str, str]]:
        """Each part as text, with its place: what a look for leaked secrets goes through."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        parts = [("path", self.path), ("query", query), ("target", self.raw_target)]
        parts += [(f"header {name}", value) for name, value in self.headers]
        parts.append(("body", self.body.decode("utf-8", "replace")))
        parts += self.upload.glimpses if self.upload else ()
        return [(where, text) for where, text in parts if text]

    def url_for_journal(self) -> str:
        """Path and query with credentials cut, as rid/get would show them."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return _CUT.sub(r"\1***", f"{self.path}?{query}" if query else self.path)


def text_field(body: Mapping[str, Any], name: str, missing: int) -> str:
    """A text out of a JSON body: refused with `missing` when absent or empty, 47001 if no text."""
    value = body.get(name)
    if value is None or value == "":
        raise Refusal(missing)
    if not isinstance(value, str):
        raise Refusal(47001)
    return value
