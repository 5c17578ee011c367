"""Keys for clients: how one is made, and the entry that makes it known."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhongkong.runtime.clock import Randomness

KEY_BYTES: Final = 16


def new_key(randomness: Randomness) -> str:
    """32 letters and digits, 128 bits of randomness."""
    return randomness.token(KEY_BYTES)


def digest_of_key(key: str) -> str:
    """What stands under `key_sha256` for this key."""
    return hashlib.sha256(key.encode()).hexdigest()


def describe_key(name: str, randomness: Randomness) -> str:
    """A new key, and its entry under `clients`. The key is not kept anywhere."""
    key = new_key(randomness)
    return f"""\
{key}

# Above is the key of {name}; it is shown only now. Put this under `clients` in token_service.yaml:
  - name: {name}
    key_sha256: {digest_of_key(key)}
    # accounts: [shop]         # globs over account names; without them it may use no account
    # kinds: [access_token]    # globs over kinds of token
    # verbs: [read, report]    # also: proxy, login, force; sign comes later
    # proxy_paths: []          # with proxy: the paths of WeChat's API, as /cgi-bin/**"""
