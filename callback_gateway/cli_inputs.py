"""What the arguments of a command mean together. Raises BadParameter, which ends it with 64."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account

EVENT_AT_MOST: Final = 1024**2


def content(file: str) -> bytes:
    """The file's bytes, or those of standard input for `-`. Blocking; raises OSError."""
    if file == "-":
        return sys.stdin.buffer.read(EVENT_AT_MOST)
    with Path(file).open("rb") as opened:
        return opened.read(EVENT_AT_MOST)


def account(accounts: Mapping[str, Account], name: str | None) -> Account:
    """The account named, or the only one."""
    if name is None and len(accounts) == 1:
        return next(iter(accounts.values()))
    if name is None or name not in accounts:
        known = ", ".join(accounts) or "none: no account is configured"
        raise typer.BadParameter(f"--account is one of {known}")
    return accounts[name]


def fields(
    type_: str, text: str | None, event: str | None, key: str | None, others: list[str]
) -> dict[str, str]:
    """WeChat's fields for the options of a test callback."""
    if event is None and type_ == "event":
        raise typer.BadParameter("--event says which, as CLICK")
    if event is None and type_ == "text" and text is None:
        raise typer.BadParameter("--content says the text")
    if key is not None and event is None:
        raise typer.BadParameter("--key goes with --event")
    found = {"MsgType": type_ if event is None else "event"}
    named = {"Content": text, "Event": event, "EventKey": key}
    found.update({name: value for name, value in named.items() if value is not None})
    for other in others:
        name, sign, value = other.partition("=")
        if not sign or not name:
            raise typer.BadParameter("--field is written NAME=VALUE")
        found[name] = value
    return found


def selection(
    ids: list[str], of_account: str | None, target: str | None, *, every: bool
) -> dict[str, object]:
    """One way of choosing; nothing is chosen by leaving everything out."""
    filtered: dict[str, object] = {
        name: value for name, value in (("account", of_account), ("target", target)) if value
    }
    ways: list[dict[str, object]] = [{"ids": ids}] if ids else []
    ways += [filtered] if filtered else []
    ways += [{"all": True}] if every else []
    if len(ways) != 1:
        raise typer.BadParameter("choose by ids, by --account and --target, or with --all")
    return ways[0]
