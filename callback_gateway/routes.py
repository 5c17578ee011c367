"""PURE: who gets an event, and who answers it.

Routes are tried in order. Every one that matches adds the targets of its `notify`; the first that
matches and has a `reply` answers. How routes are written is in settings, what is odd about them is
said in notices.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from callback_gateway.event import Event
    from callback_gateway.patterns import Pattern
    from zhongkong.wechat.passive_reply import PassiveReply

    Looks = tuple[tuple[Callable[["Facts"], str | None], tuple[Pattern, ...]], ...]

SHORT_WINDOW_S: Final = 4.5
"""`reply_window`: the first try is answered."""
LONG_WINDOW_S: Final = 15.0
"""`reply_window`: the last try is."""
EVENT: Final = "event"
"""The type of everything that is no message."""


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Facts:
    """What can be matched. None is not there, and no pattern fits it."""

    type: str
    """`text`, `image` …; `event` for all events."""
    event: str | None = None
    """As WeChat wrote it: `CLICK`, `subscribe`."""
    key: str | None = None
    """The event's EventKey, which may be empty."""
    content: str | None = field(default=None, repr=False)
    user: str = field(default="", repr=False)
    """The openid."""
    account: str = ""
    """Our name of the account."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which events a route takes: those that fit one pattern of each field given."""

    type: tuple[Pattern, ...] | None = None
    event: tuple[Pattern, ...] | None = None
    key: tuple[Pattern, ...] | None = None
    content: tuple[Pattern, ...] | None = None
    user: tuple[Pattern, ...] | None = None
    account: tuple[Pattern, ...] | None = None

    def given(self) -> Iterator[tuple[str, tuple[Pattern, ...]]]:
        """The fields that are looked at, with their patterns."""
        for name in MATCH_FIELDS:
            patterns = getattr(self, name)
            if patterns is not None:
                yield name, patterns

    @property
    def takes_all(self) -> bool:
        return next(self.given(), None) is None

    def covers(self, other: Match) -> bool:
        """Whether all that `other` takes is taken here; False when that can't be told."""
        wanted = dict(other.given())
        return all(
            all(any(mine.covers(theirs) for mine in patterns) for theirs in wanted.get(name, ()))
            and name in wanted
            for name, patterns in self.given()
        )

    def __str__(self) -> str:
        given = (f"{name}: {_either(patterns)}" for name, patterns in self.given())
        return f"{{{', '.join(given)}}}"


MATCH_FIELDS: Final = tuple(each.name for each in fields(Match))


@dataclass(frozen=True, slots=True)
class Static:
    """The answer stands in the configuration."""

    reply: PassiveReply


@dataclass(frozen=True, slots=True)
class Ask:
    """A target is asked for the answer."""

    target: str


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `place` is `file:line` where that is known, else `routes[3]`."""

    match: Match
    notify: tuple[str, ...] = ()
    reply: Static | Ask | None = None
    reply_window_s: float = SHORT_WINDOW_S
    fallback: PassiveReply | None = None
    """Said when the window closes without the target's answer."""
    index: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one event."""

    notify: tuple[str, ...] = ()
    """Each once, in the order of the routes."""
    reply: Static | Ask | None = None
    route: Route | None = None
    """The one that answers."""

    @property
    def fallback(self) -> PassiveReply | None:
        return None if self.route is None else self.route.fallback

    @property
    def reply_window_s(self) -> float:
        return SHORT_WINDOW_S if self.route is None else self.route.reply_window_s


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one route took an event."""

    route: Route
    why_not: str | None
    """The first field that kept it from matching; None when it matched."""
    answers: bool = False
    """Whether the answer is this route's."""


class Routes:
    """All routes in their order. An immutable value: a reload makes another."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._routes = tuple(routes)
        self._looks = tuple((_looks(route.match), route) for route in self._routes)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)

    def decide(self, facts: Facts) -> Decision:
        """Who gets the event and who answers it."""
        notify: dict[str, None] = {}
        answering: Route | None = None
        for wanted, route in self._looks:
            if answering is not None and not route.notify:
                continue
            if not _all_fit(wanted, facts):
                continue
            for target in route.notify:
                notify[target] = None
            if answering is None and route.reply is not None:
                answering = route
        reply = None if answering is None else answering.reply
        return Decision(tuple(notify), reply, answering)

    def explain(self, facts: Facts) -> list[Explanation]:
        """The same decision route by route, for a person."""
        answering = self.decide(facts).route
        return [
            Explanation(route, _why_not(route.match, facts), route is answering)
            for route in self._routes
        ]


def facts_of(event: Event) -> Facts:
    """What routes look at in an event."""
    data = event.data
    return Facts(
        type=event.name if event.kind == "message" else EVENT,
        event=_text(data.get("event")) if event.kind != "message" else None,
        key=_text(data.get("event_key")),
        content=_text(data.get("content")),
        user=event.user,
        account=event.account,
    )


def _looks(match: Match) -> Looks:
    return tuple((attrgetter(name), patterns) for name, patterns in match.given())


def _all_fit(looks: Looks, facts: Facts) -> bool:
    # Plain loops: this runs for every event and every route.
    for read, patterns in looks:  # noqa: SIM110
        if not _fits(patterns, read(facts)):
            return False
    return True


def _fits(patterns: tuple[Pattern, ...], value: str | None) -> bool:
    if value is None:
        return False
    for pattern in patterns:  # noqa: SIM110
        if pattern.fits(value):
            return True
    return False


def _why_not(match: Match, facts: Facts) -> str | None:
    for name, patterns in match.given():
        value = getattr(facts, name)
        if value is None:
            return f"it has no {name}, and the route wants {_either(patterns)}"
        if not _fits(patterns, value):
            return f"its {name} is {value!r}, and the route wants {_either(patterns)}"
    return None


def _either(patterns: tuple[Pattern, ...]) -> str:
    return " or ".join(str(pattern) or '""' for pattern in patterns)


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None
