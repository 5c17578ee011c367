"""The worker's settings: every key of its file, with type, unit, default and cross-checks.

What the values become is put together in `configured`; desired menus are files of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from menu_worker.drift import Behaviour
from menu_worker.steps import ConditionalStrategy
from token_service.client import TokenClient
from zhongkong.runtime.settings import (
    Bounds,
    Duration,
    HostName,
    HostPort,
    Name,
    Secret,
    SettingProblems,
    Settings,
    Sha256Hex,
    StoreUrl,
    bad_secret,
    bad_value,
    one_key_for_both,
)
from zhongkong.runtime.settings.errors import KeyPath
from zhongkong.runtime.storage import MemoryTarget, parse_store_url

ENV_PREFIX: Final = "MENU_WORKER"
CONFIG_VARIABLE: Final = "MENU_WORKER_CONFIG"
DEFAULT_CONFIG: Final = Path("menu_worker.yaml")

_DAY_S: Final = 86_400.0


def _address(url: str) -> str:
    try:
        TokenClient(url, key="any")
    except ValueError as error:
        raise bad_secret(f"is not the address of a token service: {error}") from None
    return url.rstrip("/")


def _key(secret: Secret) -> Secret:
    try:
        TokenClient("http://localhost", key=secret.reveal())
    except ValueError as error:
        raise bad_secret(f"is no key of a token service: {error}") from None
    return secret


def _pattern(text: str) -> str:
    if not text or "\0" in text:
        raise bad_value("is not a path or a pattern: write menus/*.yaml")
    return text


MenuPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(_pattern)], ...], Field(min_length=1, max_length=1000)
]


class AccountKind(StrEnum):
    """Which of WeChat's quotas the accounts have."""

    REAL = "real"
    SANDBOX = "sandbox"


class TokenServiceLink(Settings):
    """The service through which WeChat is called."""

    url: Annotated[str, AfterValidator(_address)] = "http://127.0.0.1:8081"
    key: Annotated[Secret, AfterValidator(_key)]


class MenuFilesSettings(Settings):
    """What is needed to look at desired files: whoever validates needn't have the secrets."""

    model_config = ConfigDict(extra="ignore")

    menus: MenuPatterns
    account: Name | None = None
    allow_delete: bool = False


class MenuWorkerSettings(Settings):
    """The whole file."""

    internal_listen: HostPort = HostPort("127.0.0.1", 9083)
    internal_hosts: tuple[HostName, ...] = ()
    """Further names under which the internal listener may be called."""
    admin_key_sha256: Sha256Hex | None = None
    metrics_key_sha256: Sha256Hex | None = None
    """Of a key that opens the metrics and nothing else."""
    store: StoreUrl = "sqlite:///var/menu_worker.db"
    token_service: TokenServiceLink
    menus: MenuPatterns
    """Globs over desired files; relative ones count from the configuration's folder."""
    account: Name | None = None
    """Whose the menu files are that name no account."""
    interval: Annotated[Duration, Bounds("10s", "24h")] = 300.0
    on_drift: Behaviour = Behaviour.CORRECT
    allow_delete: bool = False
    conditional_strategy: ConditionalStrategy = ConditionalStrategy.ADD_FIRST
    max_removed: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the last verified menu's buttons that a new one may lack."""
    instance: Name | None = None
    concurrency: Annotated[int, Field(ge=1, le=100)] = 8
    kind: AccountKind = AccountKind.REAL
    grace: Annotated[Duration, Bounds("1s", "5m")] = 8.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if problems := [*one_key_for_both(self.admin_key_sha256, self.metrics_key_sha256)]:
            raise SettingProblems(problems)
        return self

    def notices(self) -> Iterable[tuple[KeyPath, str]]:
        return _notices(self)


def _notices(settings: MenuWorkerSettings) -> Iterator[tuple[KeyPath, str]]:
    if settings.admin_key_sha256 is None:
        yield (
            ("admin_key_sha256",),
            "not set, so POST /v1/reconcile is off; `menu-worker pause` needs no key",
        )
    if isinstance(parse_store_url(settings.store, Path("/")), MemoryTarget):
        yield ("store",), "in memory: backups, claims and counters are lost with the process"
    reads = 1000 if settings.kind is AccountKind.SANDBOX else 10_000
    if _DAY_S / settings.interval > reads * 0.8:
        what = f"so often that an account's {reads} readings a day won't last till midnight (UTC+8)"
        yield ("interval",), what
