"""PURE: is this request WeChat's, and what does it say? Nothing is parsed before it is verified.

Signature and envelope are in zhongkong.wechat; what the content means, in event.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from callback_gateway.accounts import Mode
from callback_gateway.inbox.records import Stamp
from zhongkong.wechat.envelope import EnvelopeFault, EnvelopeRefused, unseal
from zhongkong.wechat.push import BodyFormat, PushMalformed, encrypted_part, format_of
from zhongkong.wechat.signature import is_genuine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account

ECHO_AT_MOST: Final = 1024
"""WeChat's echostr has some twenty digits."""

_PARAMETER_AT_MOST: Final = 256
_SECONDS: Final = re.compile(r"[0-9]{1,12}\Z")


class Forgery(StrEnum):
    """Why a request is not believed."""

    NO_SIGNATURE = "no_signature"
    SIGNATURE = "signature"
    STALE = "stale"
    NOT_ENCRYPTED = "not_encrypted"
    NO_ENVELOPE = "no_envelope"
    WRONG_KEY = "wrong_key"
    WRONG_ACCOUNT = "wrong_account"
    ALTERED = "altered"


class Forged(Exception):
    """The request is not WeChat's, or not for this account, or not of now.

    `skew_s` is set when all but the time was right: the sender's clock less ours.
    """

    def __init__(self, reason: Forgery, skew_s: float | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.skew_s = skew_s


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Query:
    """What WeChat puts into the query of a callback."""

    timestamp: str
    nonce: str
    signature: str = field(repr=False)
    msg_signature: str = field(default="", repr=False)
    encrypted: bool = False


@dataclass(slots=True)  # one a callback: a frozen one takes three times as long to make
class Genuine:
    """A believed request, and the form in which it wants its answer.

    `token` and `key` count from 0, the current one; `key` None: in clear.
    """

    content: bytes = field(repr=False)
    form: BodyFormat
    token: int
    key: int | None
    stamp: Stamp | None


def read_query(words: Mapping[str, str]) -> Query:
    """Raises Forged when what a verification needs is missing or out of all proportion."""
    query = Query(
        timestamp=words.get("timestamp", ""),
        nonce=words.get("nonce", ""),
        signature=words.get("signature", ""),
        msg_signature=words.get("msg_signature", ""),
        # Chosen by what the query says, as the vendor demands: `signature` covers no body.
        encrypted=words.get("encrypt_type", "raw") == "aes" or "msg_signature" in words,
    )
    proof = query.msg_signature if query.encrypted else query.signature
    if not proof or not query.nonce or not _SECONDS.match(query.timestamp):
        raise Forged(Forgery.NO_SIGNATURE)
    if max(len(proof), len(query.nonce)) > _PARAMETER_AT_MOST:
        raise Forged(Forgery.NO_SIGNATURE)
    return query


def check_echo(account: Account, words: Mapping[str, str]) -> str:
    """The echostr of a URL verification. Raises Forged."""
    echo = words.get("echostr", "")
    parts = words.get("timestamp", ""), words.get("nonce", "")
    proof = words.get("signature", "")
    if not echo or not proof or max(map(len, (*parts, proof))) > _PARAMETER_AT_MOST:
        raise Forged(Forgery.NO_SIGNATURE)
    if len(echo) > ECHO_AT_MOST:
        raise Forged(Forgery.NO_SIGNATURE)
    if _token(account, proof, *parts) is None:
        raise Forged(Forgery.SIGNATURE)
    return echo


def authenticate(
    account: Account, query: Query, body: bytes, *, now: float, freshness_s: float
) -> Genuine:
    """Verify a callback and decrypt it. Raises Forged."""
    if query.encrypted and account.aes_keys:
        return _encrypted(account, query, body, now, freshness_s)
    if account.mode is not Mode.PLAINTEXT:
        raise Forged(Forgery.NOT_ENCRYPTED)
    if query.encrypted:
        raise Forged(Forgery.WRONG_KEY)
    return _clear(account, query, body, now, freshness_s)


def _encrypted(
    account: Account, query: Query, body: bytes, now: float, freshness_s: float
) -> Genuine:
    try:
        form = format_of(body)
        encrypted = encrypted_part(body, form)
    except PushMalformed:
        raise Forged(Forgery.NO_ENVELOPE) from None
    token = _token(account, query.msg_signature, query.timestamp, query.nonce, encrypted)
    if token is None:
        raise Forged(Forgery.SIGNATURE)
    _check_time(query, now, freshness_s)
    fault = EnvelopeFault.BUFFER
    for index, key in enumerate(account.aes_keys):
        try:
            content = unseal(encrypted, key, account.appid)
        except EnvelopeRefused as refused:
            fault = refused.reason
            continue
        return Genuine(content=content, form=form, token=token, key=index, stamp=None)
    raise Forged(Forgery.WRONG_ACCOUNT if fault is EnvelopeFault.APPID else Forgery.WRONG_KEY)


def _clear(account: Account, query: Query, body: bytes, now: float, freshness_s: float) -> Genuine:
    token = _token(account, query.signature, query.timestamp, query.nonce)
    if token is None:
        raise Forged(Forgery.SIGNATURE)
    _check_time(query, now, freshness_s)
    try:
        form = format_of(body)
    except PushMalformed:
        form = BodyFormat.XML
    return Genuine(
        content=body, form=form, token=token, key=None, stamp=_stamp(account, query, body)
    )


def _token(account: Account, proof: str, *parts: str) -> int | None:
    for index, token in enumerate(account.tokens):
        if is_genuine(proof, token, *parts):
            return index
    return None


def _check_time(query: Query, now: float, freshness_s: float) -> None:
    skew_s = int(query.timestamp) - now
    if abs(skew_s) > freshness_s:
        raise Forged(Forgery.STALE, skew_s)


def _stamp(account: Account, query: Query, body: bytes) -> Stamp:
    """The signature covers no body: the first body that comes with it is the one.

    Timestamp and nonce are left out: signed as one sorted text, they could be cut anew
    (0120 and 17… as 012 and 017…), and the same proof would pass for another.
    """
    proof = f"{account.name}\n{query.signature}"
    return Stamp(
        proof=hashlib.sha256(proof.encode()).hexdigest()[:32],
        body=hashlib.sha256(body).hexdigest()[:32],
    )
