"""The gateway's settings: every key of its file, with type, unit, default and cross-checks.

What the values become is put together in `configured`; what is odd about them is in `notices`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from callback_gateway import notices, settings_readers as readers, targets
from callback_gateway.accounts import Mode, TokenRefused, parse_token
from callback_gateway.patterns import Pattern
from callback_gateway.routes import SHORT_WINDOW_S, Ask, Match, Static
from callback_gateway.webhook_signature import SigningSecret, SigningSecretRefused
from zhongkong.runtime.settings import (
    Bounds,
    ByteSize,
    Duration,
    HostName,
    HostPort,
    Name,
    Secret,
    SettingProblems,
    Settings,
    Sha256Hex,
    StoreUrl,
    Unbuilt,
    bad_secret,
    bad_value,
    one_key_for_both,
)
from zhongkong.runtime.settings.errors import KeyPath
from zhongkong.runtime.storage import RedisTarget, SqliteTarget, parse_store_url
from zhongkong.wechat.envelope import AesKey, AesKeyRefused
from zhongkong.wechat.passive_reply import PassiveReply

ENV_PREFIX = "CALLBACK_GATEWAY"
CONFIG_VARIABLE = "CALLBACK_GATEWAY_CONFIG"
DEFAULT_CONFIG = Path("callback_gateway.yaml")

_APPID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ORIGINAL_ID = re.compile(r"gh_[A-Za-z0-9_-]{1,61}\Z")

KeyProblem = tuple[KeyPath, str]


def _appid(text: str) -> str:
    if not _APPID.match(text):
        raise bad_value("is not an appid: write it as the console shows it, wx0123456789abcdef")
    return text


def _original_id(text: str) -> str:
    if not _ORIGINAL_ID.match(text):
        raise bad_value("is not an original id: the console shows it as gh_0123456789ab")
    return text


def _tokens(secrets: tuple[Secret, ...]) -> tuple[Secret, ...]:
    return _differing(secrets, parse_token)


def _aes_keys(secrets: tuple[Secret, ...]) -> tuple[Secret, ...]:
    return _differing(secrets, AesKey.parse)


def _differing(secrets: tuple[Secret, ...], parse: Callable[[str], object]) -> tuple[Secret, ...]:
    problems: list[KeyProblem] = []
    found: set[object] = set()
    for index, secret in enumerate(secrets):
        try:
            value = parse(secret.reveal())
        except (AesKeyRefused, TokenRefused) as refused:
            problems.append(((index,), str(refused)))
            continue
        if value in found:
            problems.append(((index,), "is the one before it again; the second is the previous"))
        found.add(value)
    if problems:
        raise SettingProblems(problems)
    return secrets


def _signing_secret(secret: Secret) -> Secret:
    try:
        SigningSecret.parse(secret.reveal())
    except SigningSecretRefused as refused:
        raise bad_secret(str(refused)) from None
    return secret


def _target_url(url: str) -> str:
    if flaw := targets.flaw_of_url(url):
        raise bad_secret(flaw)
    return url


def _spool(url: StoreUrl) -> str:
    if not isinstance(parse_store_url(url, Path()), SqliteTarget):
        raise bad_secret("the spool is a file of this machine: write sqlite:///var/spool.db")
    return url


def _event_patterns(value: Any) -> tuple[Pattern, ...]:
    return readers.patterns(value, ignore_case=True)


Patterns = Annotated[tuple[Pattern, ...] | None, readers.ReadBy(readers.patterns)]
EventPatterns = Annotated[tuple[Pattern, ...] | None, readers.ReadBy(_event_patterns)]
Reply = Annotated[PassiveReply | None, readers.ReadBy(readers.passive_reply)]
Two = Field(max_length=2)


class AccountSettings(Settings):
    """One Official Account. Of two tokens or keys the first is the current one."""

    name: Name
    appid: Annotated[str, AfterValidator(_appid)]
    original_id: Annotated[str, AfterValidator(_original_id)] | None = None
    tokens: Annotated[tuple[Secret, ...], Field(min_length=1), Two, AfterValidator(_tokens)]
    aes_keys: Annotated[tuple[Secret, ...], Two, AfterValidator(_aes_keys)] = ()
    mode: Mode = Mode.SAFE

    @model_validator(mode="after")
    def _can_decrypt(self) -> Self:
        if self.mode is not Mode.PLAINTEXT and not self.aes_keys:
            what = (
                f"is missing: mode {self.mode} takes the EncodingAESKey of the console's server "
                "settings, as [{env: SHOP_AES_KEY}]"
            )
            raise SettingProblems([(("aes_keys",), what)])
        return self


class RateSettings(Settings):
    """So many deliveries in so long."""

    calls: Annotated[int, Field(ge=1, le=1_000_000)]
    per: Annotated[Duration, Bounds("1s", "1h")] = 1.0


class TargetSettings(Settings):
    """One receiver of events."""

    url: Annotated[str, AfterValidator(_target_url)]
    secret: Annotated[Secret, AfterValidator(_signing_secret)]
    timeout: Annotated[Duration, Bounds("100ms", "10m")] = targets.TIMEOUT_S
    concurrency: Annotated[int, Field(ge=1, le=1000)] = targets.CONCURRENCY
    rate: Annotated[RateSettings | None, Unbuilt("a bound on deliveries per second")] = None


class MatchSettings(Settings):
    """Patterns by field; those left out take everything."""

    type: Patterns = None
    event: EventPatterns = None
    key: Patterns = None
    content: Patterns = None
    user: Patterns = None
    account: Patterns = None

    def match(self) -> Match:
        return Match(**{name: getattr(self, name) for name in type(self).model_fields})


class Forward(Settings):
    """An application that speaks WeChat's own protocol, as a route's answer."""

    forward: Annotated[Name, Unbuilt("applications that are sent WeChat's own requests")]


class Stream(Settings):
    """A stream that is read from, as a route's copy; written `stream:crm`."""

    stream: Annotated[str, Unbuilt("streams of events that are read from")]


def _reply(value: Any) -> Static | Ask | Forward:
    if isinstance(value, dict) and "forward" in value:
        if len(value) > 1:
            raise bad_value("is more than a forward: write {forward: TARGET} alone")
        return Forward(forward=readers.target_name(value["forward"]))
    return readers.reply(value)


def _notify(value: Any) -> tuple[str | Stream, ...]:
    names = readers.recipients(value)
    return tuple(
        Stream(stream=name.removeprefix(readers.STREAM))
        if name.startswith(readers.STREAM)
        else name
        for name in names
    )


class RouteSettings(Settings):
    """Which events go where, and who answers."""

    match: MatchSettings
    notify: Annotated[tuple[str | Stream, ...], readers.ReadBy(_notify)] = ()
    reply: Annotated[Static | Ask | Forward | None, readers.ReadBy(_reply)] = None
    reply_window: Annotated[float, readers.ReadBy(readers.reply_window)] = SHORT_WINDOW_S
    fallback: Reply = None
    late_reply: Annotated[
        Literal["customer_service"] | None, Unbuilt("replies after the window has closed")
    ] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems: list[KeyProblem] = []
        if self.reply is None and not self.notify:
            problems.append(((), "does nothing: give it `reply` or `notify`"))
        if isinstance(self.reply, Static | None):
            problems += [
                ((key,), "has a meaning only where `reply` names a target")
                for key in ("reply_window", "fallback", "late_reply")
                if key in self.model_fields_set
            ]
        answers = {"fallback": self.fallback}
        if isinstance(self.reply, Static):
            answers["reply"] = self.reply.reply
        for key, answer in answers.items():
            if misfit := readers.misfits(answer, self.match.type):
                path, what = misfit
                problems.append(((key, *path), f"{what}; let `match.type` keep the others out"))
        if problems:
            raise SettingProblems(problems)
        return self


class TokenServiceLink(Settings):
    """Where late replies get their tokens."""

    url: str
    key: Secret


class GatewaySettings(Settings):
    """The whole file."""

    listen: HostPort = HostPort("0.0.0.0", 8082)  # noqa: S104 - WeChat calls from outside
    internal_listen: HostPort = HostPort("127.0.0.1", 9082)
    internal_hosts: tuple[HostName, ...] = ()
    """Further names under which the internal listener may be called."""
    admin_key_sha256: Sha256Hex | None = None
    metrics_key_sha256: Sha256Hex | None = None
    """Of a key that opens the metrics and nothing else."""
    store: StoreUrl = "sqlite:///var/callback_gateway.db"
    spool: Annotated[StoreUrl, AfterValidator(_spool)] = "sqlite:///var/callback_gateway_spool.db"
    """Where callbacks wait while Redis is away."""
    durability: Literal["disk", "process", "replicated"] = "disk"
    inbox_limit: Annotated[int, Field(ge=1, le=100_000_000)] = 100_000
    """Undelivered events and dead letters together."""
    retention: Annotated[Duration, Bounds("24h", "8760h")] = 86_400.0
    dead_letter_retention: Annotated[Duration, Bounds("1h", "87600h")] = 30 * 86_400.0
    freshness: Annotated[Duration, Bounds("1m", "24h")] = 600.0
    body_limit: Annotated[ByteSize, Bounds("1KiB", "256KiB")] = 256 * 1024
    answer_within: Annotated[Duration, Bounds("1s", "4800ms")] = 4.5
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    retry_every: Annotated[Duration, Bounds("10ms", "1m")] = 5.0
    """How often and how far apart WeChat sends a callback that gets no answer."""
    schedule: Annotated[
        tuple[Annotated[Duration, Bounds("1ms", "24h")], ...],
        Field(min_length=1, max_length=32),
    ] = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 21_600.0)
    """The waits between the attempts at one delivery."""
    grace: Annotated[Duration, Bounds("1s", "5m")] = 8.0
    drain: Annotated[Duration, Bounds("0s", "1m")] = 1.0
    """After a stop: so long callbacks are still taken, while readiness is false already."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    token_service: Annotated[TokenServiceLink | None, Unbuilt("late replies")] = None
    accounts: tuple[AccountSettings, ...] = ()
    targets: dict[Name, TargetSettings] = Field(default_factory=dict)
    routes: tuple[RouteSettings, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [
            *_repeated("name", [account.name for account in self.accounts]),
            *_repeated("appid", [account.appid for account in self.accounts]),
            *_repeated("original_id", [account.original_id for account in self.accounts]),
            *self._unknown_targets(),
            *self._unfit_stores(),
            *one_key_for_both(self.admin_key_sha256, self.metrics_key_sha256),
        ]
        if self.listen.port and self.listen == self.internal_listen:
            problems.append((("internal_listen",), "is the same address as listen"))
        if self.drain >= self.grace:
            problems.append((("drain",), "must be shorter than grace"))
        if problems:
            raise SettingProblems(problems)
        return self

    def notices(self) -> Iterable[KeyProblem]:
        return notices.notices(self)

    def landmarks(self) -> Iterable[KeyPath]:
        return [("routes", index) for index in range(len(self.routes))]

    def _unknown_targets(self) -> Iterator[KeyProblem]:
        known = ", ".join(self.targets) or "none"
        for index, route in enumerate(self.routes):
            named: list[tuple[KeyPath, str]] = [
                (("notify", place), target)
                for place, target in enumerate(route.notify)
                if isinstance(target, str)
            ]
            if isinstance(route.reply, Ask):
                named.append((("reply",), route.reply.target))
            if isinstance(route.reply, Forward):
                named.append((("reply", "forward"), route.reply.forward))
            for path, target in named:
                if target not in self.targets:
                    what = f"{target} is none of the targets; configured are {known}"
                    yield ("routes", index, *path), what

    def _unfit_stores(self) -> Iterator[KeyProblem]:
        store = parse_store_url(self.store, Path("/"))
        if self.durability == "replicated" and not isinstance(store, RedisTarget):
            yield ("durability",), "replicated takes Redis as the store; here write disk"
        if store == parse_store_url(self.spool, Path("/")):
            yield ("spool",), "is the same file as the store"


def _repeated(key: str, values: list[str | None]) -> Iterator[KeyProblem]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        if value in first:
            yield ("accounts", index, key), f"is that of accounts[{first[value]}] already"
        first.setdefault(value, index)
