"""Keys of a desired menu that no route of the gateway handles.

The gateway's file is read by itself, not through the gateway: only `routes`, and of those only
what decides about events of menus. Variables that override the file are not seen here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import re2  # type: ignore[import-untyped]  # it brings no types

from menu_worker.findings import Violation, shown
from zhongkong.runtime.settings.document import parse_document
from zhongkong.runtime.settings.errors import ConfigError
from zhongkong.runtime.settings.files import FileTrouble, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from menu_worker.desired import Desired, KeyPlace

MAX_BYTES: Final = 8 * 1024 * 1024
PATTERN_AT_MOST: Final = 512

_SLASHED: Final = re.compile(r"/(.+)/(i?)", re.DOTALL)
_PUSHED: Final = {"click": "CLICK"}
"""Button type → the event's name, where they differ."""


class RoutesUnreadable(Exception):
    """The gateway's file gives no routes; the message has its name, and the line where known."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """An exact text, a glob or a /regex/; on RE2, as in the gateway."""

    text: str
    ignore_case: bool
    engine: Any = None

    def fits(self, value: str) -> bool:
        if self.engine is not None:
            return self.engine.search(value) is not None
        if self.ignore_case:
            return value.casefold() == self.text.casefold()
        return value == self.text

    @property
    def is_any(self) -> bool:
        return bool(self.text) and not self.text.strip("*")


@dataclass(frozen=True, slots=True)
class Route:
    """Which events a route takes, by field. One that neither replies nor notifies isn't here."""

    match: Mapping[str, tuple[Pattern, ...]]

    def takes(self, facts: Mapping[str, str]) -> bool:
        """Whether events with these facts come here, whoever's they are."""
        return all(_fit(name, patterns, facts) for name, patterns in self.match.items())


def read_routes(path: Path) -> tuple[Route, ...]:
    """The routes of a gateway's file. Blocking; raises RoutesUnreadable."""
    try:
        document = parse_document(read_file(path, MAX_BYTES).data, str(path)).plain()
    except FileTrouble as trouble:
        raise RoutesUnreadable(f"{path} {trouble}") from None
    except ConfigError as error:
        raise RoutesUnreadable(str(error)) from None
    routes = document.get("routes") if isinstance(document, dict) else None
    if routes is not None and not isinstance(routes, list):
        raise RoutesUnreadable(f"{path}: `routes` is a list")
    return tuple(
        Route(_match(path, number, each.get("match")))
        for number, each in enumerate(routes or ())
        if isinstance(each, dict) and (each.get("reply") or each.get("notify"))
    )


def unhandled(desired: Desired, routes: Sequence[Route], routes_name: str) -> list[Violation]:
    """A violation for each key of the menu whose events no route takes."""
    return [
        Violation(
            desired.file,
            place.line,
            place.column,
            f"no route of {routes_name} handles the key {shown(place.key)} of a {place.type} "
            "button; add one, or its users get no answer",
        )
        for place in desired.keys
        if not any(route.takes(_facts(desired.account, place)) for route in routes)
    ]


def _facts(account: str, place: KeyPlace) -> dict[str, str]:
    event = _PUSHED.get(place.type, place.type)
    return {"type": "event", "event": event, "key": place.key, "account": account}


def _fit(name: str, patterns: Iterable[Pattern], facts: Mapping[str, str]) -> bool:
    if name == "user":
        # A route for some users leaves the others without an answer.
        return any(pattern.is_any for pattern in patterns)
    value = facts.get(name)
    return value is not None and any(pattern.fits(value) for pattern in patterns)


def _match(path: Path, number: int, given: object) -> dict[str, tuple[Pattern, ...]]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise RoutesUnreadable(f"{path}: routes[{number}].match is a mapping")
    found: dict[str, tuple[Pattern, ...]] = {}
    for name, value in given.items():
        if value is None:
            continue
        texts = value if isinstance(value, list) else [value]
        try:
            ignore_case = name == "event"
            found[name] = tuple(_pattern(str(each), ignore_case=ignore_case) for each in texts)
        except ValueError as error:
            what = f"{path}: routes[{number}].match.{name} is no pattern: {error}"
            raise RoutesUnreadable(what) from None
    return found


def _pattern(text: str, *, ignore_case: bool) -> Pattern:
    if len(text) > PATTERN_AT_MOST:
        raise ValueError(f"it is longer than {PATTERN_AT_MOST} characters")
    if slashed := _SLASHED.fullmatch(text):
        ignoring = ignore_case or bool(slashed[2])
        return Pattern(text, ignoring, _compiled(slashed[1], ignore_case=ignoring))
    if "*" in text or "?" in text:
        parts = (".*" if sign == "*" else "." if sign == "?" else re2.escape(sign) for sign in text)
        engine = _compiled(rf"(?s)\A{''.join(parts)}\z", ignore_case=ignore_case)
        return Pattern(text, ignore_case, engine)
    return Pattern(text, ignore_case)


def _compiled(text: str, *, ignore_case: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(text, options)
    except re2.error:
        raise ValueError("RE2 can't read it") from None
