"""PURE: scripts, and how a call of one is said to Redis. Who says it is in redis.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.runtime.redis_wire import Word


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script under a name for messages. It must give the same effect when run twice."""

    name: str
    body: str = field(repr=False)
    sha: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The digest is Redis's name for the script, not a protection.
        digest = hashlib.sha1(self.body.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A script with its keys and arguments. In a cluster all keys must share a hash tag."""

    script: Script
    keys: Sequence[str]
    args: Sequence[Word] = field(repr=False)

    def by_name(self) -> tuple[Word, ...]:
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.args)

    def in_full(self) -> tuple[Word, ...]:
        return ("EVAL", self.script.body, len(self.keys), *self.keys, *self.args)


@dataclass(frozen=True, slots=True)
class Synced:
    """Where a script's writes must be on disk before it counts (WAITAOF, Redis 7.2 or later)."""

    local: int
    """1: on the server itself."""
    replicas: int
    """On so many replicas."""
    within_s: float

    def command(self) -> tuple[Word, ...]:
        return ("WAITAOF", self.local, self.replicas, round(self.within_s * 1000))
