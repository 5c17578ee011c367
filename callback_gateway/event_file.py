"""PURE: an event out of a file, however somebody came by it: for `routes test`.

Taken are a CloudEvents document as targets get it, its `data` alone, and WeChat's own push in XML
or JSON, sealed or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from callback_gateway.event import MALFORMED_TYPE, event_of
from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.envelope import EnvelopeRefused, open_envelope
from zhongkong.wechat.push import BodyFormat, PushMalformed, encrypted_part, format_of, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account
    from callback_gateway.event import Event

_SOURCE = "wechat/"


class NoEvent(ValueError):
    """The file holds no event that could be read; the message says what would do."""


def read_event(content: bytes, accounts: Mapping[str, Account], name: str | None) -> Event:
    """The event, of the account `name` where that is given. Raises NoEvent."""
    try:
        form = format_of(content)
        if form is BodyFormat.XML:
            return _pushed(content, form, accounts, name)
        given = orjson.loads(content)
        if "specversion" in given:
            return _delivered(given, accounts, name)
        if "msg_type" in given:
            return _of_data(given, accounts, name)
        return _pushed(content, form, accounts, name)
    except (PushMalformed, orjson.JSONDecodeError) as flaw:
        raise NoEvent(
            f"this is no event: {flaw}; give a delivered CloudEvents document, its `data`, or "
            "WeChat's XML or JSON"
        ) from None


def _delivered(
    given: Mapping[str, Any], accounts: Mapping[str, Account], name: str | None
) -> Event:
    data = given.get("data")
    if given.get("type") == MALFORMED_TYPE:
        raise NoEvent("this callback could not be read, so no route was asked")
    if not isinstance(data, dict):
        raise NoEvent("this CloudEvents document has no `data` object")
    source = str(given.get("source", ""))
    if name is None and source.startswith(_SOURCE):
        name = source.removeprefix(_SOURCE)
    return _of_data(data, accounts, name)


def _of_data(data: Mapping[str, Any], accounts: Mapping[str, Account], name: str | None) -> Event:
    """Snake case stays as it is when it is read once more."""
    push = normalise(data)
    return event_of(push, _account(accounts, name, push.to_user))


def _pushed(
    content: bytes, form: BodyFormat, accounts: Mapping[str, Account], name: str | None
) -> Event:
    parsed = parse(content, form)
    if "Encrypt" in parsed:
        account = _account(accounts, name, str(parsed.get("ToUserName", "")))
        parsed = _opened(encrypted_part(content, form), accounts.get(account))
    push = normalise(parsed)
    return event_of(push, _account(accounts, name, push.to_user))


def _opened(encrypted: str, account: Account | None) -> dict[str, Any]:
    for key in () if account is None else account.aes_keys:
        try:
            content = open_envelope(encrypted, key, account.appid if account else "")
        except EnvelopeRefused:
            continue
        return parse(content, format_of(content))
    raise NoEvent("this push is encrypted, and no AES key of the account opens it")


def _account(accounts: Mapping[str, Account], name: str | None, to_user: str) -> str:
    """The account meant: the one named, else the one addressed, else the only one."""
    if name is not None:
        return name
    for account in accounts.values():
        if account.original_id == to_user:
            return account.name
    if len(accounts) == 1:
        return next(iter(accounts))
    raise NoEvent(f"which account is it? Give --account; configured are {', '.join(accounts)}")
