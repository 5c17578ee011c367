"""PURE: what proves to a target that a delivery came from this gateway: Standard Webhooks.

The signature covers id, timestamp and body, so that any of the published libraries verifies it.
Source: the Standard Webhooks specification, "Signature scheme" and "Verifying signatures". How a
delivery is sent is in delivery/.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

PREFIX: Final = "whsec_"
SHORTEST_KEY: Final = 24
LONGEST_KEY: Final = 64
TOLERANCE_S: Final = 300
"""How far a timestamp may be from the verifier's clock, as in the published libraries."""

_VERSION: Final = "v1"
_SIGNATURES_AT_MOST: Final = 16
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""No dot, which separates what is signed, and nothing that could end a header."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_RIGHT = f"write {PREFIX} and then the base64 of {SHORTEST_KEY} to {LONGEST_KEY} random bytes"


class SigningSecretRefused(ValueError):
    """A secret that can't sign. The message says what is right, and shows nothing of the secret."""


class SigningSecret:
    """What a target shares with the gateway: one key, or several while it is being replaced."""

    __slots__ = ("_keys",)

    def __init__(self, *keys: bytes) -> None:
        """Keys of 24 to 64 bytes; each signs. Raises SigningSecretRefused."""
        if not keys:
            raise SigningSecretRefused(f"A webhook secret is missing: {_RIGHT}.")
        for key in keys:
            if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
                raise SigningSecretRefused(
                    f"This webhook secret holds {len(key)} bytes: {_RIGHT}. "
                    "`openssl rand -base64 32` makes what comes after the prefix."
                )
        self._keys = keys

    @classmethod
    def parse(cls, *texts: str) -> SigningSecret:
        """Read `whsec_…`, or several of them, the newest first. Raises SigningSecretRefused."""
        return cls(*map(_key, texts))

    def headers(self, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """The three headers of a delivery. `timestamp` in Unix seconds: when it is sent.

        Raises ValueError for an id that holds more than letters, digits, `_` and `-`.
        """
        if _ID.fullmatch(event_id) is None:
            raise ValueError("an event id holds letters, digits, _ and - alone")
        signed = _signed(event_id, str(timestamp), body)
        return {
            ID_HEADER: event_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: " ".join(
                f"{_VERSION},{signature.decode()}" for signature in self._signatures(signed)
            ),
        }

    def signed_by_any(self, event_id: str, timestamp: str, body: bytes, claimed: str) -> bool:
        """Whether one of the signatures in `claimed` is that of one of the keys. Never raises."""
        try:
            signed = _signed(event_id, timestamp, body)
            claims = claimed.encode("ascii").split(b" ", _SIGNATURES_AT_MOST)
        except UnicodeEncodeError:
            return False
        expected = [f"{_VERSION},".encode() + one for one in self._signatures(signed)]
        return any(hmac.compare_digest(claim, one) for claim in claims for one in expected)

    def _signatures(self, signed: bytes) -> list[bytes]:
        return [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in self._keys]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SigningSecret)
            and len(self._keys) == len(other._keys)
            and all(map(hmac.compare_digest, self._keys, other._keys))
        )

    def __hash__(self) -> int:
        return hash(self._keys)

    def __repr__(self) -> str:
        return f"SigningSecret(<{len(self._keys)} hidden>)"


def verify(
    secret: SigningSecret,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    tolerance_s: float = TOLERANCE_S,
) -> bool:
    """Whether a delivery is genuine and fresh. `headers` by lower-case names. Never raises."""
    event_id = headers.get(ID_HEADER, "")
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not event_id or _TIMESTAMP.fullmatch(timestamp) is None:
        return False
    if abs(now - int(timestamp)) > tolerance_s:
        return False
    return secret.signed_by_any(event_id, timestamp, body, headers.get(SIGNATURE_HEADER, ""))


def _key(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise SigningSecretRefused(f"This webhook secret doesn't begin with {PREFIX}: {_RIGHT}.")
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        pass
    # Raised here: the cause may quote the secret.
    raise SigningSecretRefused(f"This webhook secret is no base64 after {PREFIX}: {_RIGHT}.")


def _signed(event_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{event_id}.{timestamp}.".encode() + body
