"""PURE: a callback as WeChat would send it, for trying a gateway, and what its answer says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from callback_gateway.accounts import Mode
from zhongkong.wechat.envelope import EnvelopeRefused, open_envelope, seal
from zhongkong.wechat.push import (
    BodyFormat,
    PushMalformed,
    format_of,
    parse,
    push_envelope,
    render,
)
from zhongkong.wechat.signature import is_genuine, signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account

DEFAULT_USER: Final = "oCallbackGatewaySendsThis000"
UNKNOWN_ORIGINAL_ID: Final = "gh_000000000000"

_SAYS_NOTHING: Final = frozenset({b"", b"success"})


class AnswerRefused(ValueError):
    """WeChat would not take this answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One try. `target` is path and query."""

    target: str = field(repr=False)
    body: bytes = field(repr=False)


def fields_of(
    account: Account, user: str, create_time: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The message with the fields that every one has."""
    return {
        "ToUserName": account.original_id or UNKNOWN_ORIGINAL_ID,
        "FromUserName": user,
        "CreateTime": create_time,
        **given,
    }


def sample(
    account: Account, fields: Mapping[str, Any], *, timestamp: int, nonce: str, noise: str
) -> Sample:
    """Sign the message, and seal it unless the account's mode is plaintext.

    `noise`: 16 ASCII characters. Raises PushMalformed for text that XML can't hold.
    """
    token = account.tokens[0]
    query = {
        "signature": signature(token, str(timestamp), nonce),
        "timestamp": str(timestamp),
        "nonce": nonce,
        "openid": str(fields["FromUserName"]),
    }
    body = render(fields, BodyFormat.XML)
    if account.mode is not Mode.PLAINTEXT:
        encrypted = seal(body, account.aes_keys[0], account.appid, noise)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature(token, str(timestamp), nonce, encrypted)
        if account.mode is Mode.COMPATIBLE:
            body = render({**fields, "Encrypt": encrypted}, BodyFormat.XML)
        else:
            body = push_envelope(str(fields["ToUserName"]), encrypted, BodyFormat.XML)
    return Sample(f"/callback/{account.name}?{urlencode(query)}", body)


def answered(account: Account, body: bytes) -> bytes | None:
    """What the gateway said, decrypted; None when it has nothing to say. Raises AnswerRefused."""
    if body.strip() in _SAYS_NOTHING:
        return None
    try:
        form = format_of(body)
        outer = parse(body, form)
        if "Encrypt" in outer:
            body = _opened(account, outer)
            parse(body, form)
    except PushMalformed as flaw:
        raise AnswerRefused(f"the answer can't be read: {flaw}") from None
    except EnvelopeRefused as flaw:
        raise AnswerRefused(f"the answer can't be decrypted: {flaw}") from None
    return body


def _opened(account: Account, outer: Mapping[str, Any]) -> bytes:
    """The sealed answer. Raises EnvelopeRefused and AnswerRefused."""
    if not account.aes_keys:
        raise AnswerRefused("the answer is encrypted, and the account has no AES key")
    encrypted = str(outer["Encrypt"])
    parts = str(outer.get("TimeStamp", "")), str(outer.get("Nonce", "")), encrypted
    if not is_genuine(str(outer.get("MsgSignature", "")), account.tokens[0], *parts):
        raise AnswerRefused("the answer is not signed with the account's token")
    return open_envelope(encrypted, account.aes_keys[0], account.appid)
