"""Who may call a callback: the SHA-1 over a token and what goes with it. PURE.

Only the arithmetic lives here. Which of `signature` and `msg_signature` counts, and how old a
timestamp may be, is decided by whoever takes the request in. Source: WeChat's documentation,
"Access overview" and "Message encryption and decryption".
"""

from __future__ import annotations

import hashlib
import hmac


def signature(token: str, *parts: str) -> str:
    """The lower-case hex SHA-1 of the token and the parts, sorted and joined.

    Sorting goes by bytes of UTF-8, so that "10" < "9" < "b". `parts` are timestamp and nonce, and
    for `msg_signature` the base64 text of Encrypt as well.
    """
    # Text order is the order of the UTF-8 bytes. What a query string held may be no valid text.
    joined = "".join(sorted((token, *parts))).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def is_genuine(claimed: str, token: str, *parts: str) -> bool:
    """True when `claimed` is the signature. Takes the same time however much of it is right."""
    return claimed.isascii() and hmac.compare_digest(claimed, signature(token, *parts))
