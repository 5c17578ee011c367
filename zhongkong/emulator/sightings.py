"""Every key-like text that reached the platform, wherever in a request it stood.

A proof that something never leaves a caller's house needs more than a look at known fields: paths,
queries, headers and bodies are scanned, as sent and percent-decoded. Memory is bounded: the oldest
sightings fall out and are counted; texts put on watch beforehand are counted exactly for ever.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIGHTINGS_HELD: Final = 20_000
_WATCHED_AT_MOST: Final = 1_000
_LONGEST: Final = 1024
# A key of ours has 24 characters or more, a secret 32, a token over 100.
_KEY_LIKE: Final = re.compile(r"[A-Za-z0-9_\-.~+/=|!@:]{16,}")
_NAMED: Final = frozenset(
    {"secret", "appsecret", "access_token", "component_access_token", "corpsecret", "authorization"}
)


@dataclass(slots=True)
class Sighting:
    """One text. `where` is the first place: `path`, `query`, `body` or `header <name>`."""

    value: str
    where: str
    path: str
    first_at: float
    last_at: float
    count: int = 1


@dataclass(slots=True)
class Sightings:
    """What was seen. `forgotten` counts the texts that fell out."""

    seen: OrderedDict[str, Sighting] = field(default_factory=OrderedDict)
    watched: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0

    def watch(self, text: str) -> None:
        """Count the requests that hold `text` from now on. Raises ValueError when too many."""
        if not text:
            raise ValueError("an empty text stands in every request")
        if text not in self.watched and len(self.watched) >= _WATCHED_AT_MOST:
            raise ValueError(f"{_WATCHED_AT_MOST} texts are on watch already")
        self.watched.setdefault(text, 0)

    def saw(self, text: str) -> bool:
        """True when `text` is one of the sightings, or part of one, or was met on watch."""
        return (
            text in self.seen
            or self.watched.get(text, 0) > 0
            or any(text in value for value in self.seen)
        )

    def scan(
        self,
        path: str,
        fields: Iterable[tuple[str, str]],
        now: float,
        *,
        met: frozenset[str] = frozenset(),
    ) -> None:
        """Take in one request: (where, text as sent) of each of its parts.

        `met` are texts on watch that it is known to hold beside them.
        """
        parts = [(where, text, unquote_plus(text, errors="replace")) for where, text in fields]
        for where, sent, decoded in parts:
            for match in {*_KEY_LIKE.findall(sent), *_KEY_LIKE.findall(decoded)}:
                self.note(match, where, path, now)
        for text in self.watched:
            if text in met or any(text in sent or text in decoded for _, sent, decoded in parts):
                self.watched[text] += 1

    def note_named(self, path: str, fields: Iterable[tuple[str, str]], now: float) -> None:
        """Take in the values of fields that are secrets by their name, however short."""
        for name, value in fields:
            if name.lower() in _NAMED and value:
                self.note(value, name, path, now)

    def note(self, value: str, where: str, path: str, now: float) -> None:
        value = value[:_LONGEST]
        known = self.seen.get(value)
        if known is not None:
            known.count += 1
            known.last_at = now
            return
        self.seen[value] = Sighting(value, where, path, now, now)
        if len(self.seen) > _SIGHTINGS_HELD:
            self.seen.popitem(last=False)
            self.forgotten += 1
