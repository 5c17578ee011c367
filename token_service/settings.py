"""The token service's settings: every key of its file, with type, unit, default and cross-checks.

What the values mean to the rotation and to the API is put together in `configured`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from token_service.clients import Verb
from token_service.opaque import OpaqueKeyRefused, OpaqueTokens
from token_service.proxy.settings import ProxySettings, RateSettings
from token_service.slot import Mode
from token_service.stores.codec import KeyRefused, Sealer
from zhongkong.runtime.settings import (
    Bounds,
    Duration,
    Glob,
    HostName,
    HostPort,
    Name,
    PathGlob,
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
from zhongkong.wechat.hosts import DEFAULT_BASE_URLS, BaseUrlError, parse_base_urls
from zhongkong.wechat.limits import REAL, SANDBOX

ENV_PREFIX = "TOKEN_SERVICE"
CONFIG_VARIABLE = "TOKEN_SERVICE_CONFIG"
DEFAULT_CONFIG = Path("token_service.yaml")
OVERLAP_S = 300.0
"""WeChat honours the old token for so long after a planned refresh."""

_APPID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_API_PATH = re.compile(r"/[A-Za-z0-9_/-]{1,200}\Z")

_KEYS_FOR_REPLICAS = (
    "is missing: replicas on one Redis need the same keys for the tokens that SDKs hold; "
    "`openssl rand -base64 32` makes one, write [{env: ZK_OPAQUE_KEY}]"
)

KeyProblem = tuple[tuple[str | int, ...], str]


def _appid(text: str) -> str:
    if not _APPID.match(text):
        raise bad_value("is not an appid: write it as the console shows it, wx0123456789abcdef")
    return text


def _api_path(text: str) -> str:
    if not _API_PATH.match(text):
        raise bad_value("is not the path of an API: write it as /cgi-bin/get_api_domain_ip")
    return text


def _encryption_keys(keys: tuple[Secret, ...]) -> tuple[Secret, ...]:
    try:
        Sealer([key.reveal() for key in keys])
    except KeyRefused as error:
        raise bad_secret(str(error)) from None
    return keys


def _opaque_token_keys(keys: tuple[Secret, ...]) -> tuple[Secret, ...]:
    try:
        if keys:
            OpaqueTokens([key.reveal() for key in keys])
    except OpaqueKeyRefused as error:
        raise bad_secret(str(error)) from None
    return keys


def _base_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return parse_base_urls(urls)
    except BaseUrlError as error:
        raise bad_secret(str(error)) from None


Count = Annotated[int, Field(ge=0, le=100_000_000)]
TicketKind = Literal["jsapi", "wx_card"]


class AccountKind(StrEnum):
    """Which of WeChat's quotas an account has."""

    REAL = "real"
    SANDBOX = "sandbox"


class WeChatSettings(Settings):
    """WeChat's API. The next host is tried only for a call that provably was not sent."""

    base_urls: Annotated[tuple[str, ...], AfterValidator(_base_urls)] = DEFAULT_BASE_URLS
    probe_path: Annotated[str, AfterValidator(_api_path)] = "/cgi-bin/get_api_domain_ip"
    """The cheap call that shows whether a token lives."""


class RotationSettings(Settings):
    """The times of the rotation."""

    lead: Annotated[Duration, Bounds("10s", None)] = 240.0
    lead_jitter: Annotated[Duration, Bounds("0s", None)] = 30.0
    call_deadline: Annotated[Duration, Bounds("1s", "60s")] = 10.0
    lease: Annotated[Duration, Bounds("3s", "120s")] = 15.0
    send_margin: Annotated[Duration, Bounds("500ms", "30s")] = 2.0
    settle: Annotated[Duration, Bounds("1s", "60s")] = 5.0
    backoff_base: Annotated[Duration, Bounds("100ms", "1m")] = 1.0
    backoff_cap: Annotated[Duration, Bounds("1s", "10m")] = 60.0
    operator_retry: Annotated[Duration, Bounds("30s", "24h")] = 600.0
    reseed_grace: Annotated[Duration, Bounds("0s", "1m")] = 3.0

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems: list[KeyProblem] = []
        if self.lead >= OVERLAP_S:
            problems.append(
                (("lead",), "must be below 5m, or a planned refresh would end a token early")
            )
        if self.lead_jitter >= self.lead:
            problems.append((("lead_jitter",), "must be shorter than rotation.lead"))
        if self.call_deadline >= self.lease - self.send_margin:
            problems.append(
                (
                    ("call_deadline",),
                    "must be shorter than rotation.lease less rotation.send_margin",
                )
            )
        if self.backoff_base > self.backoff_cap:
            problems.append((("backoff_base",), "must not exceed rotation.backoff_cap"))
        if problems:
            raise SettingProblems(problems)
        return self


class BudgetSettings(Settings):
    """Calls a day (UTC+8) of one account, as WeChat counts them, and what is kept for people."""

    normal: Count = REAL.stable_token or 500_000
    forced: Count = REAL.forced_refresh
    forced_apart: Annotated[Duration, Bounds("30s", "24h")] = 30.0
    forced_reserve: Count = 3
    classic: Count = REAL.classic_token
    classic_sandbox: Count = SANDBOX.classic_token
    classic_reserve: Count = 20
    alarm_at: Annotated[float, Field(gt=0, le=1)] = 0.8

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        problems: list[KeyProblem] = []
        if self.forced_reserve > self.forced:
            problems.append((("forced_reserve",), "must not exceed budgets.forced"))
        if self.classic_reserve >= min(self.classic, self.classic_sandbox):
            problems.append(
                (("classic_reserve",), "must be below budgets.classic and budgets.classic_sandbox")
            )
        if problems:
            raise SettingProblems(problems)
        return self


class AccountSettings(Settings):
    """One Official Account."""

    name: Name
    appid: Annotated[str, AfterValidator(_appid)]
    secret: Secret
    mode: Mode = Mode.STABLE
    kind: AccountKind = AccountKind.REAL
    tickets: tuple[TicketKind, ...] = ()


class ClientSettings(Settings):
    """One caller, and what it may do."""

    name: Name
    key_sha256: Sha256Hex | None = None
    service_account: Annotated[str | None, Unbuilt("callers with a Kubernetes JWT")] = None
    accounts: tuple[Glob, ...] = ()
    kinds: tuple[Glob, ...] = (Glob("access_token"),)
    verbs: tuple[Verb, ...] = (Verb.READ, Verb.REPORT)
    proxy_paths: tuple[PathGlob, ...] = ()
    hand_out: Literal["opaque", "real"] = "opaque"
    rate: RateSettings | None = None

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if self.key_sha256 is None and self.service_account is None:
            raise SettingProblems(
                [(("key_sha256",), "is missing; `token-service keys new NAME` prints an entry")]
            )
        return self


class KubernetesSettings(Settings):
    """Whose service-account tokens are believed."""

    issuer: str
    audience: str
    jwks: str


class TokenServiceSettings(Settings):
    """The whole file."""

    listen: HostPort = HostPort("127.0.0.1", 8081)
    internal_listen: HostPort = HostPort("127.0.0.1", 9081)
    internal_hosts: tuple[HostName, ...] = ()
    """Further names under which the internal listener may be called."""
    store: StoreUrl = "sqlite:///var/token_service.db"
    encryption_keys: Annotated[tuple[Secret, ...], AfterValidator(_encryption_keys)] = ()
    admin_key_sha256: Sha256Hex | None = None
    metrics_key_sha256: Sha256Hex | None = None
    """Of a key that opens the metrics and nothing else."""
    wechat: WeChatSettings = WeChatSettings()
    rotation: RotationSettings = RotationSettings()
    budgets: BudgetSettings = BudgetSettings()
    waiters: Annotated[int, Field(ge=1, le=100_000)] = 2000
    """How many requests may wait for a token at the same time."""
    grace: Annotated[Duration, Bounds("1s", "5m")] = 8.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    accounts: tuple[AccountSettings, ...] = ()
    accounts_dir: Annotated[str | None, Unbuilt("accounts in a folder, one file each")] = None
    clients: tuple[ClientSettings, ...] = ()
    opaque_token_keys: Annotated[tuple[Secret, ...], AfterValidator(_opaque_token_keys)] = ()
    kubernetes: Annotated[KubernetesSettings | None, Unbuilt("callers with a Kubernetes JWT")] = (
        None
    )
    proxy: ProxySettings = ProxySettings()

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        problems: list[KeyProblem] = [
            *_repeated("accounts", "name", [account.name for account in self.accounts]),
            *_repeated("accounts", "appid", [account.appid for account in self.accounts]),
            *_repeated("clients", "name", [client.name for client in self.clients]),
            *_repeated("clients", "key_sha256", [client.key_sha256 for client in self.clients]),
            *one_key_for_both(self.admin_key_sha256, self.metrics_key_sha256),
        ]
        if not self.opaque_token_keys and self.store.startswith("redis"):
            problems.append((("opaque_token_keys",), _KEYS_FOR_REPLICAS))
        if self.listen.port and self.listen == self.internal_listen:
            problems.append((("internal_listen",), "is the same address as listen"))
        if problems:
            raise SettingProblems(problems)
        return self


def _repeated(group: str, key: str, values: list[str | None]) -> Iterator[KeyProblem]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        if value in first:
            yield (group, index, key), f"is that of {group}[{first[value]}] already"
        first.setdefault(value, index)
