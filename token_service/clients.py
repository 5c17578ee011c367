"""PURE: who calls, and what a caller may do. Keys are known by their SHA-256 alone.

Nothing here knows HTTP beyond the text of one Authorization header.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from zhongkong.runtime.bearer import digest_of, digest_of_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from token_service.proxy.rates import Rate
    from zhongkong.runtime.settings.globs import Glob, PathGlob

_ABSENT = bytes(32)


class Verb(StrEnum):
    """A right that a client can be given."""

    READ = "read"
    REPORT = "report"
    SIGN = "sign"
    PROXY = "proxy"
    LOGIN = "login"
    FORCE = "force"


@dataclass(frozen=True, slots=True)
class Caller:
    """One configured client. `accounts` and `kinds` are globs over names; both must match.

    `proxy_paths` are the paths of WeChat's API that it may call; with `real_tokens` an SDK of its
    own is given real tokens; `rate` bounds its calls through the proxy.
    """

    name: str
    key_digest: bytes
    accounts: tuple[Glob, ...]
    kinds: tuple[Glob, ...]
    verbs: frozenset[Verb]
    proxy_paths: tuple[PathGlob, ...] = ()
    real_tokens: bool = False
    rate: Rate | None = None

    def may(self, verb: Verb, account: str, kind: str) -> bool:
        """Whether this client may do this with that token."""
        return (
            verb in self.verbs
            and any(glob.matches(account) for glob in self.accounts)
            and any(glob.matches(kind) for glob in self.kinds)
        )

    def reaches(self, verb: Verb, account: str) -> bool:
        """Whether this client may do this with that account, for deeds that hand out no token."""
        return verb in self.verbs and any(glob.matches(account) for glob in self.accounts)

    def sees(self, account: str, kind: str) -> bool:
        """Whether any right of this client touches that token."""
        return any(self.may(verb, account, kind) for verb in self.verbs)


class Clients:
    """All configured clients. An immutable value: a reload makes another."""

    def __init__(self, callers: Iterable[Caller]) -> None:
        self._by_digest = {caller.key_digest: caller for caller in callers}
        self._by_name = {caller.name: caller for caller in self._by_digest.values()}

    def __iter__(self) -> Iterator[Caller]:
        return iter(self._by_digest.values())

    def caller_of(self, authorization: str | None) -> Caller | None:
        """The client whose key stands in this Authorization header, or None."""
        return self._of(digest_of(authorization))

    def caller_with_key(self, key: str) -> Caller | None:
        """The client whose key this is, or None."""
        return self._of(digest_of_text(key))

    def named(self, name: str) -> Caller | None:
        """The client of this name, or None."""
        return self._by_name.get(name)

    def is_key(self, text: bytes) -> bool:
        """Whether this is the key of any client."""
        return hashlib.sha256(text).digest() in self._by_digest

    def _of(self, digest: bytes) -> Caller | None:
        caller = self._by_digest.get(digest)
        known = caller.key_digest if caller is not None else _ABSENT
        return caller if hmac.compare_digest(known, digest) else None
