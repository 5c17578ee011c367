"""What `callback-gateway status` reads of the document that `status` makes.

A running gateway may be of another version than the command, so this is checked before it is shown.
"""

from __future__ import annotations

from zhongkong.runtime.asking import Form


class Ours(Form):
    """By this a gateway's document is known."""

    targets: list[dict[str, object]]


class Account(Form):
    """What came of one account's callbacks."""

    account: str
    mode: str
    answered: dict[str, int]
    refused: dict[str, int]
    retries: int
    joins: int
    tokens: int
    old_token_used_at: str | None
    aes_keys: int
    old_aes_key_used_at: str | None
    clock_skew_s: float | None


class Target(Form):
    """One target; its counts are None while the store wasn't looked at."""

    target: str
    configured: bool
    disabled: bool
    waiting: int | None
    leased: int | None
    dead: int | None
    oldest_due_s: float | None


class Store(Form):
    """The store as the gateway last saw it."""

    address: str
    reachable: bool
    durability: str
    keeps_durability: bool


class Spool(Form):
    """The local spool."""

    address: str
    events: int


class Inbox(Form):
    """How full the inbox is."""

    events: int
    limit: int


class Config(Form):
    """What is wrong with the configuration."""

    refused_because: list[str]
    unusable_secrets: list[str]
    notices: list[str]


class Status(Form):
    """The whole."""

    replica: str
    ready: bool
    store: Store
    spool: Spool | None
    inbox: Inbox | None
    config: Config
    failing_tasks: dict[str, str]
    accounts: list[Account]
    targets: list[Target]
    unreadable_events: int
