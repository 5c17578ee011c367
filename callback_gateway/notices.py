"""PURE: what a configuration allows but probably doesn't mean, and what it costs to mean it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from callback_gateway.accounts import Mode
from callback_gateway.routes import EVENT, Ask, Static
from zhongkong.runtime.storage import MemoryTarget, RedisTarget, parse_store_url
from zhongkong.wechat.catalogue import KNOWN_EVENTS, KNOWN_MESSAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callback_gateway.patterns import Pattern
    from callback_gateway.settings import GatewaySettings, RouteSettings
    from zhongkong.runtime.settings.errors import KeyPath

    Notice = tuple[KeyPath, str]

_NO_CATCH_ALL: Final = (
    "none takes everything (match: {}): what no route matches is answered success and goes nowhere"
)
_SPOOL: Final = (
    "holds what is accepted while Redis is away: on a volume that ends with the pod, that is lost "
    "if the pod ends before Redis is back; give each replica a volume that stays"
)


def notices(settings: GatewaySettings) -> Iterator[Notice]:
    """Each with the setting that it is about."""
    yield from _about_accounts(settings)
    yield from _about_targets(settings)
    yield from _about_routes(settings)
    yield from _about_stores(settings)
    if settings.admin_key_sha256 is None:
        yield (
            ("admin_key_sha256",),
            "not set, so dead letters can't be shown in full, redriven or dropped",
        )


def _about_accounts(settings: GatewaySettings) -> Iterator[Notice]:
    if not settings.accounts:
        yield ("accounts",), "none is configured, so every callback is refused"
    holders: dict[str, str] = {}
    for index, account in enumerate(settings.accounts):
        if account.mode is Mode.PLAINTEXT:
            yield (
                ("accounts", index, "mode"),
                "in plaintext WeChat's signature covers no body; in mode safe it does",
            )
        for place, token in enumerate(account.tokens):
            holder = holders.setdefault(token.reveal(), account.name)
            if holder != account.name:
                yield (
                    ("accounts", index, "tokens", place),
                    f"is that of {holder} as well; with one each, a leak concerns one",
                )


def _about_targets(settings: GatewaySettings) -> Iterator[Notice]:
    used = {name for route in settings.routes for name in _targets_of(route)}
    for name in settings.targets:
        if name not in used:
            yield ("targets", name), "no route names it, so nothing is sent there"


def _about_routes(settings: GatewaySettings) -> Iterator[Notice]:
    if not settings.routes:
        yield ("routes",), "none is configured, so events are answered success and go nowhere"
        return
    matches = [route.match.match() for route in settings.routes]
    if not any(match.takes_all for match in matches):
        yield (
            ("routes",),
            _NO_CATCH_ALL,
        )
    names = [account.name for account in settings.accounts]
    for index, route in enumerate(settings.routes):
        yield from _about_words(("routes", index, "match"), route, names)
        if not isinstance(route.reply, Static | Ask):
            continue
        for earlier in range(index):
            answered = isinstance(settings.routes[earlier].reply, Static | Ask)
            if answered and matches[earlier].covers(matches[index]):
                what = "never answers" if route.notify else "never matches"
                yield (
                    ("routes", index, "reply"),
                    f"{what}: routes[{earlier}] answers everything that it takes",
                )
                break


def _about_words(place: KeyPath, route: RouteSettings, names: list[str]) -> Iterator[Notice]:
    """Exact words that WeChat doesn't use, or that are no account of ours."""
    match = route.match
    for type_ in _exact(match.type):
        if type_ not in KNOWN_MESSAGES and type_ != EVENT:
            known = ", ".join(sorted({*KNOWN_MESSAGES, EVENT}))
            yield (*place, "type"), f"WeChat documents no type {type_}; known are {known}"
    for event in _exact(match.event):
        if event.lower() not in KNOWN_EVENTS:
            yield (*place, "event"), f"WeChat documents no event {event}"
    for pattern in match.account or ():
        if not any(pattern.fits(name) for name in names):
            yield (*place, "account"), f"{pattern} fits no configured account"
    if match.event is not None and not _lets_events_through(match.type):
        yield (*place, "event"), "no message has an event, and match.type takes messages alone"


def _about_stores(settings: GatewaySettings) -> Iterator[Notice]:
    store = parse_store_url(settings.store, Path("/"))
    if isinstance(store, MemoryTarget):
        yield ("store",), "in memory: what was accepted is lost with the process"
    if isinstance(store, RedisTarget):
        yield (
            ("spool",),
            _SPOOL,
        )


def _targets_of(route: RouteSettings) -> Iterator[str]:
    yield from (each for each in route.notify if isinstance(each, str))
    if isinstance(route.reply, Ask):
        yield route.reply.target


def _exact(patterns: tuple[Pattern, ...] | None) -> Iterator[str]:
    return (pattern.text for pattern in patterns or () if pattern.is_exact)


def _lets_events_through(types: tuple[Pattern, ...] | None) -> bool:
    return types is None or any(pattern.fits(EVENT) for pattern in types)
