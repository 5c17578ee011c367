"""PURE: what one callback says, under an id that is the same however often it is sent.

The fields are read in zhongkong.wechat.catalogue; how an event travels is in cloud_event.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.wechat.catalogue import Push

MALFORMED_TYPE: Final = "wechat.malformed"

_DIGEST_HEX: Final = 32


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Event:
    """A message or an event of one account. `time` in Unix seconds, `data` in snake_case."""

    id: str
    account: str
    kind: str
    """`message` or `event`."""
    name: str
    """`text`, `click` …: lower case."""
    user: str
    """The openid."""
    to_user: str
    """The account's original id."""
    time: int
    data: Mapping[str, Any]

    @property
    def type(self) -> str:
        """As in CloudEvents: `wechat.message.text`."""
        return f"wechat.{self.kind}.{self.name}"


def event_of(push: Push, account: str) -> Event:
    """The event that a push tells of."""
    return Event(
        id=_identity(push, account),
        account=account,
        kind=push.kind,
        name=push.name,
        user=push.from_user,
        to_user=push.to_user,
        time=push.create_time,
        data=push.fields,
    )


def malformed_id(account: str, content: bytes) -> str:
    """The id of a genuine callback that can't be read: that of its bytes."""
    return "bad_" + _digest(account.encode(), content)


def _identity(push: Push, account: str) -> str:
    """Messages go by MsgId within their user and second: users share MsgIds at times.

    Events have no id of their own, and several fall into one second: all of their content counts.
    Source: WeChat's callback documentation (MsgId; FromUserName + CreateTime) and the collisions
    that its users have reported.
    """
    key = [account, push.to_user, push.from_user, push.create_time]
    if push.kind == "message" and push.msg_id is not None:
        return "msg_" + _digest(orjson.dumps([*key, push.msg_id]))
    content = orjson.dumps(push.fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return "evt_" + _digest(orjson.dumps(key), content)


def _digest(*parts: bytes) -> str:
    framed = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return hashlib.sha256(framed).hexdigest()[:_DIGEST_HEX]
