"""What `menu-worker status` reads of the document that `status` makes.

A running worker may be of another version than the command, so this is checked before it is shown.
"""

from __future__ import annotations

from zhongkong.runtime.asking import Form


class Ours(Form):
    """By this a menu worker's document is known."""

    files: dict[str, object]


class Account(Form):
    """One account's menu."""

    account: str
    file: str | None
    result: str | None
    detail: str | None
    verified_at: str | None
    applied_at: str | None
    contested: bool
    paused_by: str | None
    switched_off: bool | None
    quota_left: dict[str, int]
    next_pass_in_s: float | None


class Files(Form):
    """What is wrong with the desired files, by file, and patterns without one."""

    refused: dict[str, list[str]]
    unmatched: list[str]


class Config(Form):
    """What is wrong with the configuration."""

    notices: list[str]


class Status(Form):
    """The whole."""

    instance: str
    ready: bool
    not_ready_because: str | None
    config: Config
    files: Files
    failing_tasks: dict[str, str]
    accounts: list[Account]
