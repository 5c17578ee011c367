"""What `token-service status` reads of the document that `status` makes.

A running service may be of another version than the command, so this is checked before it is shown.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from token_service.freeze import Way  # noqa: TC001 - pydantic reads annotations when it runs
from zhongkong.runtime.asking import Form


class Ours(Form):
    """By this a token service's document is known."""

    tokens: list[dict[str, object]]


class Spent(Form):
    """Of one kind of call."""

    spent: int
    limit: int


class Failure(Form):
    """Why the last call failed."""

    detail: str
    errcode: int | None
    retry_at: str
    remedy: str | None


class Refusal(Form):
    """Why a replica's address is refused."""

    address: str | None
    errcode: int
    until: str
    remedy: str | None


class Token(Form):
    """One account's token."""

    account: str
    kind: str
    mode: str
    live: bool
    expires_in: int
    budget: dict[str, Spent]
    alarms: list[str]
    failure: Failure | None
    refused_addresses: list[Refusal]


class Freeze(Form):
    """Why nothing is fetched."""

    way: Annotated[Way, Field(strict=False)]
    other: str
    since: str
    remedy: str


class Store(Form):
    """The store as the service last saw it."""

    address: str
    reachable: bool
    frozen: Freeze | None


class Config(Form):
    """What is wrong with the configuration."""

    refused_because: list[str]
    unreadable_secrets: list[str]
    notices: list[str]


class Status(Form):
    """The whole."""

    replica: str
    ready: bool
    store: Store
    config: Config
    failing_tasks: dict[str, str]
    tokens: list[Token]
