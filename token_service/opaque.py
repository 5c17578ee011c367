"""PURE: opaque tokens, which SDKs hold in place of real ones.

An opaque token is a sealed note that says who was given which credential, and when. It holds no
real token, means nothing to WeChat, and every replica with the keys can read it, also after a
restart. Whether its client may do what it asks for, and what the real token is, is decided
elsewhere; so is who was revoked: the times are passed in.
"""

from __future__ import annotations

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIFE_S: Final = 7200
"""What every answer says."""
GRACE_S: Final = 600
"""How much longer a token is accepted: an SDK's clock and its last calls may be late."""
AHEAD_S: Final = 60.0
"""How far another replica's clock may run ahead of ours."""
LENGTH_AT_MOST: Final = 512
NONCE_BYTES: Final = 16
KEY_BYTES_MIN: Final = 32
PREFIX: Final = "zkt1_"
"""Tells our tokens from WeChat's at a glance, for people, scanners and our own checks."""

_ID_BYTES: Final = 4
_TAG_BYTES: Final = 16
_FIXED_BYTES: Final = _ID_BYTES + NONCE_BYTES + _TAG_BYTES
_SEAL_LABEL: Final = b"zhongkong opaque token: seal"
_ID_LABEL: Final = b"zhongkong opaque token: key id"
_SHAPE: Final = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{60,{LENGTH_AT_MOST - len(PREFIX)}}})\Z")
_HEAD: Final = struct.Struct(">dBB")


class OpaqueKeyRefused(ValueError):
    """A configured key is too short, or there is none. Names its place, never the key."""


class Why(StrEnum):
    """Why a text is no valid opaque token. The values are metric labels."""

    NOT_OURS = "not_ours"
    UNKNOWN_KEY = "unknown_key"
    """Ours by its looks; made with a key that isn't configured, or altered there."""
    ALTERED = "altered"
    NOT_YET = "not_yet"
    """Dated too far ahead: a replica's clock is wrong."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    WRONG_CLIENT = "wrong_client"
    WRONG_ACCOUNT = "wrong_account"
    WRONG_KIND = "wrong_kind"


@dataclass(frozen=True, slots=True)
class Invalid:
    """The token is refused."""

    reason: Why


@dataclass(frozen=True, slots=True)
class OpaqueClaims:
    """What a valid token says. `issued_at` is Unix seconds."""

    client: str
    account: str
    kind: str
    issued_at: float


class OpaqueTokens:
    """Makes and reads opaque tokens: the first key seals, every key opens.

    Keys are any texts of at least 32 bytes; what is used is derived from them for this purpose
    alone. Raises OpaqueKeyRefused.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise OpaqueKeyRefused("opaque_token_keys is empty: it needs at least one key")
        derived = [_derive(key, place) for place, key in enumerate(keys, 1)]
        self.key_ids = tuple(key_id.hex() for key_id, _ in derived)
        """What tells the keys apart, in their order. Each token shows its own: no secret."""
        self._id, self._seal = derived[0]
        self._seals: dict[bytes, list[AESSIV]] = {}
        for key_id, seal in derived:
            self._seals.setdefault(key_id, []).append(seal)

    def __repr__(self) -> str:
        return f"OpaqueTokens({sum(map(len, self._seals.values()))} keys)"

    def mint(
        self,
        client: str,
        account: str,
        kind: str,
        *,
        now: float,
        nonce: bytes,
        revoked_before: float = 0.0,
    ) -> str:
        """Make a token for this client, account and kind; good for LIFE_S, and GRACE_S beyond.

        `nonce` is NONCE_BYTES of fresh randomness. `revoked_before` is the client's revocation
        where it has one: it may lie a little ahead, and the token is dated not before it. Raises
        ValueError for names that are too long.
        """
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
        names = [name.encode() for name in (client, account, kind)]
        if max(map(len, names)) > 64:
            raise ValueError("a client, an account or a kind has at most 64 bytes")
        issued_at = max(now, revoked_before)
        note = _HEAD.pack(issued_at, len(names[0]), len(names[1])) + b"".join(names)
        sealed = self._seal.encrypt(note, [self._id, nonce])
        return PREFIX + _text_of(self._id + nonce + sealed)

    def verify(
        self,
        text: str,
        now: float,
        *,
        revoked_before: Mapping[str, float],
        client: str | None = None,
        account: str | None = None,
        kind: str | None = None,
    ) -> OpaqueClaims | Invalid:
        """Read a token; what is given of `client`, `account` and `kind` must be what it says.

        `revoked_before` holds the revocations by client. Never raises, whatever `text` is.
        """
        claims = self._open(text)
        if isinstance(claims, Invalid):
            return claims
        if claims.issued_at > now + AHEAD_S:
            return Invalid(Why.NOT_YET)
        if now >= claims.issued_at + LIFE_S + GRACE_S:
            return Invalid(Why.EXPIRED)
        if claims.issued_at < revoked_before.get(claims.client, claims.issued_at):
            return Invalid(Why.REVOKED)
        for wanted, said, why in (
            (client, claims.client, Why.WRONG_CLIENT),
            (account, claims.account, Why.WRONG_ACCOUNT),
            (kind, claims.kind, Why.WRONG_KIND),
        ):
            if wanted is not None and wanted != said:
                return Invalid(why)
        return claims

    def _open(self, text: str) -> OpaqueClaims | Invalid:
        shape = _SHAPE.match(text)
        raw = None if shape is None else _bytes_of(shape[1])
        if raw is None:
            return Invalid(Why.NOT_OURS)
        key_id, nonce = raw[:_ID_BYTES], raw[_ID_BYTES : _ID_BYTES + NONCE_BYTES]
        seals = self._seals.get(key_id)
        if seals is None:
            return Invalid(Why.UNKNOWN_KEY)
        for seal in seals:
            # The comparison of the tag, in constant time, is the library's.
            try:
                note = seal.decrypt(raw[_ID_BYTES + NONCE_BYTES :], [key_id, nonce])
            except InvalidTag:
                continue
            return _claims(note)
        return Invalid(Why.ALTERED)


def _derive(key: str, place: int) -> tuple[bytes, AESSIV]:
    material = key.encode()
    if len(material) < KEY_BYTES_MIN:
        raise OpaqueKeyRefused(
            f"key {place} of opaque_token_keys has {len(material)} bytes, it needs at least "
            f"{KEY_BYTES_MIN}: `openssl rand -base64 32` makes a good one"
        )
    return (
        HKDF(algorithm=SHA256(), length=_ID_BYTES, salt=None, info=_ID_LABEL).derive(material),
        # SIV: should a nonce ever repeat, two equal notes look equal, and nothing else is lost.
        AESSIV(HKDF(algorithm=SHA256(), length=64, salt=None, info=_SEAL_LABEL).derive(material)),
    )


def _claims(note: bytes) -> OpaqueClaims:
    """Read a note that one of our keys sealed."""
    issued_at, client_bytes, account_bytes = _HEAD.unpack_from(note)
    account_at = _HEAD.size + client_bytes
    kind_at = account_at + account_bytes
    return OpaqueClaims(
        client=note[_HEAD.size : account_at].decode(),
        account=note[account_at:kind_at].decode(),
        kind=note[kind_at:].decode(),
        issued_at=issued_at,
    )


def _text_of(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes_of(text: str) -> bytes | None:
    """None for what isn't exactly what `_text_of` writes: one token has one spelling."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except NotBase64:
        return None
    return raw if len(raw) > _FIXED_BYTES and _text_of(raw) == text else None
