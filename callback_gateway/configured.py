"""From settings to what is in force: accounts, targets, routes, and the times of the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from callback_gateway.accounts import Account, TokenRefused, parse_token
from callback_gateway.inbox.records import Keeping
from callback_gateway.routes import Ask, Route, Routes, Static
from callback_gateway.rules import Rules
from callback_gateway.targets import make_target
from callback_gateway.webhook_signature import SigningSecretRefused
from zhongkong.runtime.settings import ConfigError, Problem
from zhongkong.runtime.settings.errors import key_text
from zhongkong.wechat.envelope import AesKey, AesKeyRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback_gateway.settings import (
        AccountSettings,
        GatewaySettings,
        RouteSettings,
        TargetSettings,
    )
    from callback_gateway.targets import Target
    from zhongkong.runtime.settings import Loaded, Secret
    from zhongkong.runtime.settings.errors import KeyPath

T = TypeVar("T")


def rules(loaded: Loaded[GatewaySettings]) -> Rules:
    """What is in force with these settings and the present values of their secrets.

    Raises ConfigError when a secret's file has changed since to something that can't be used.
    """
    made, problems = renewed(loaded, Rules({}, Routes(), {}))
    if problems:
        raise ConfigError(problems)
    return made


def renewed(loaded: Loaded[GatewaySettings], before: Rules) -> tuple[Rules, tuple[Problem, ...]]:
    """As `rules`; accounts and targets whose secrets can't be used are left as they were before."""
    settings = loaded.settings
    problems: list[Problem] = []
    accounts: dict[str, Account] = dict(before.accounts)
    targets: dict[str, Target] = dict(before.targets)
    for index, account in enumerate(settings.accounts):
        try:
            accounts[account.name] = _account(account, index)
        except ConfigError as refused:
            problems.extend(refused.problems)
    for name, target in settings.targets.items():
        try:
            targets[name] = _target(name, target)
        except ConfigError as refused:
            problems.extend(refused.problems)
    routes = Routes(
        _route(route, index, loaded.places.get(("routes", index), key_text(("routes", index))))
        for index, route in enumerate(settings.routes)
    )
    return Rules(accounts, routes, targets), tuple(problems)


def keeping(settings: GatewaySettings) -> Keeping:
    """The bounds of the inbox."""
    return Keeping(
        limit=settings.inbox_limit,
        retention_s=settings.retention,
        # A request is fresh that long before and after its time.
        stamp_s=2 * settings.freshness,
        dead_retention_s=settings.dead_letter_retention,
    )


def _account(settings: AccountSettings, index: int) -> Account:
    place: KeyPath = ("accounts", index)
    return Account(
        settings.name,
        settings.appid,
        settings.original_id,
        tuple(
            _made((*place, "tokens", number), secret, parse_token)
            for number, secret in enumerate(settings.tokens)
        ),
        tuple(
            _made((*place, "aes_keys", number), secret, AesKey.parse)
            for number, secret in enumerate(settings.aes_keys)
        ),
        settings.mode,
    )


def _target(name: str, settings: TargetSettings) -> Target:
    def target(secret: str) -> Target:
        return make_target(
            name,
            settings.url,
            secret,
            timeout_s=settings.timeout,
            concurrency=settings.concurrency,
        )

    return _made(("targets", name, "secret"), settings.secret, target)


def _made(key: KeyPath, secret: Secret, make: Callable[[str], T]) -> T:
    try:
        return make(secret.reveal())
    except (AesKeyRefused, SigningSecretRefused, TokenRefused) as refused:
        kind, name = secret.source
        raise ConfigError([Problem(f"{kind} {name}", key_text(key), str(refused))]) from None


def _route(settings: RouteSettings, index: int, place: str) -> Route:
    return Route(
        match=settings.match.match(),
        notify=tuple(each for each in settings.notify if isinstance(each, str)),
        reply=settings.reply if isinstance(settings.reply, Static | Ask) else None,
        reply_window_s=settings.reply_window,
        fallback=settings.fallback,
        index=index,
        place=place,
    )
