"""An exchange as plain JSON: what was sent, what came back, and whether the signatures hold. Pure.

Tokens and keys are used here and never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from zhongkong.emulator.callbacks import views
from zhongkong.wechat.envelope import EnvelopeRefused, open_envelope
from zhongkong.wechat.push import BodyFormat, PushMalformed, encrypted_part, parse
from zhongkong.wechat.signature import is_genuine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.emulator.phone.wiretap import Exchange, HeldBody


def exchange(of: Exchange) -> dict[str, Any]:
    """`outcome` and `user` are of the push, `request` and `response` of this try."""
    joint = "&" if "?" in of.url else "?"
    return {
        **views.attempt(of.attempt),
        "revision": of.revision,
        "user": of.push.openid,
        "outcome": of.push.outcome,
        "push_seen": of.push.seen,
        "mode": of.bench.mode,
        "format": of.bench.format,
        "request": {
            "url": f"{of.url}{joint}{urlencode(of.query)}",
            "content_type": of.content_type,
            "body": _body(of.sent),
            "message": _body(of.message),
            "signatures": _request_signatures(of),
        },
        "response": _response(of),
    }


def _request_signatures(of: Exchange) -> dict[str, str]:
    """Whether an account's server that knows the token would find them genuine."""
    query, token = of.query, of.bench.token
    moment = (query.get("timestamp", ""), query.get("nonce", ""))
    found = {"signature": _verdict(query.get("signature"), token, *moment)}
    if of.bench.mode == "plaintext" or query.get("encrypt_type") != "aes":
        return found
    try:
        encrypted = encrypted_part(of.sent.data, BodyFormat(of.bench.format))
    except PushMalformed:
        return {**found, "msg_signature": "unreadable"}
    return {
        **found,
        "msg_signature": _verdict(query.get("msg_signature"), token, *moment, encrypted),
    }


def _response(of: Exchange) -> dict[str, Any] | None:
    """None while there is no answer, or where none came."""
    if of.answer is None:
        return None
    shown: dict[str, Any] = {
        "status": of.attempt.status,
        "late": of.late,
        "body": _body(of.answer),
        "message": None,
        "signature": None,
    }
    try:
        fields = parse(of.answer.data, BodyFormat(of.bench.format))
    except PushMalformed:
        return shown
    if "Encrypt" not in fields:
        return shown
    return {**shown, **_opened(of, {name: str(value) for name, value in fields.items()})}


def _opened(of: Exchange, fields: Mapping[str, str]) -> dict[str, Any]:
    parts = [fields.get(name, "") for name in ("TimeStamp", "Nonce", "Encrypt")]
    verdict = _verdict(fields.get("MsgSignature"), of.bench.token, *parts)
    for key in of.bench.keys:
        try:
            message = open_envelope(parts[2], key, of.bench.appid)
        except EnvelopeRefused:
            continue
        return {"signature": verdict, "message": {"text": _text(message), "bytes": len(message)}}
    return {"signature": verdict}


def _verdict(claimed: str | None, token: str, *parts: str) -> str:
    if not claimed:
        return "missing"
    return "genuine" if is_genuine(claimed, token, *parts) else "wrong"


def _body(of: HeldBody) -> dict[str, Any]:
    """`bytes` counts the whole, of which `text` may be the beginning."""
    return {"text": _text(of.data), "bytes": of.size}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
