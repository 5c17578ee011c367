"""PURE: a target as it is configured: where events go, and what signs them.

How a delivery is made is in delivery/.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from callback_gateway.webhook_signature import SigningSecret

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S: Final = 30.0
CONCURRENCY: Final = 16

_FINGERPRINT_HEX: Final = 16
_SCHEMES: Final = frozenset({"http", "https"})
_URL_AT_MOST: Final = 2048


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver of events. `timeout_s` bounds one attempt, `concurrency` those at once."""

    name: str
    url: str = field(repr=False)
    secret: SigningSecret = field(repr=False)
    timeout_s: float = TIMEOUT_S
    concurrency: int = CONCURRENCY
    fingerprint: str = ""
    """Changes with url and secret: a target that asked for no more is asked again then."""


def make_target(
    name: str,
    url: str,
    secret: str,
    *,
    timeout_s: float = TIMEOUT_S,
    concurrency: int = CONCURRENCY,
) -> Target:
    """A target from its `whsec_…` secret. Raises SigningSecretRefused."""
    digest = hashlib.sha256(f"{url}\0{secret}".encode()).hexdigest()
    return Target(
        name, url, SigningSecret.parse(secret), timeout_s, concurrency, digest[:_FINGERPRINT_HEX]
    )


def flaw_of_url(url: str) -> str | None:
    """What is wrong with a target's address, without a word of it: a password may be in it.

    Plain http is for receivers inside of the cluster.
    """
    return next(_flaws_of_url(url), None)


def _flaws_of_url(url: str) -> Iterator[str]:
    if len(url) > _URL_AT_MOST or not url.isascii() or not url.isprintable() or " " in url:
        yield f"an address has at most {_URL_AT_MOST} plain characters; write others as %20 and so"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        yield "the address can't be read: write https://host/path"
        return
    if parts.scheme not in _SCHEMES or not host:
        yield "an address begins with https:// or http:// and a host, as https://trading/wechat"
    if "@" in parts.netloc:
        yield "an address must hold no name and password; the signature proves who calls"
    if parts.fragment or url.endswith("#"):
        yield "an address must hold no #: it is never sent"
    if port == 0:
        yield "an address needs a port from 1 to 65535"
