"""The bytes of a callback in each of the three modes (4.3, 4.4). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zhongkong.wechat.push import BodyFormat, push_envelope
from zhongkong.wechat.signature import signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.callbacks.drafts import Draft

_CONTENT_TYPES: Final = {"xml": "text/xml", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted. `query` is not encoded yet."""

    query: Mapping[str, str]
    body: bytes = field(repr=False)
    content_type: str


def letter(draft: Draft) -> Letter:
    timestamp = str(draft.timestamp)
    query = {
        "signature": signature(draft.token, timestamp, draft.nonce),
        "timestamp": timestamp,
        "nonce": draft.nonce,
        "openid": draft.openid,
    }
    if draft.mode == "plaintext":
        body = draft.message
    else:
        encrypted = draft.sealed(draft)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature(draft.token, timestamp, draft.nonce, encrypted)
        if draft.mode == "safe":
            body = push_envelope(draft.to_user, encrypted, BodyFormat(draft.format))
        else:
            body = _beside_clear(draft, encrypted)
    if draft.envelope is not None:
        body = draft.envelope(body)
    return Letter(draft.query or query, body, _CONTENT_TYPES[draft.format])


def _beside_clear(draft: Draft, encrypted: str) -> bytes:
    """Compatible mode: the clear fields as they stand, and Encrypt behind them."""
    if draft.format == "xml":
        end = b"</xml>"
        return (
            draft.clear.removesuffix(end)
            + f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>".encode()
            + end
        )
    return draft.clear[:-1] + f',"Encrypt":"{encrypted}"}}'.encode()
