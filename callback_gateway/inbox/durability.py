"""PURE: what `durability` promises, what a server's facts allow, and what each write waits for.

- `process`: what was answered positively outlives any crash of ours.
- `disk`: it is on the store's disk, and outlives a power failure.
- `replicated`: it is on the disks of the server and of a replica.

The facts are read, and the verdict is acted on, in promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.redis_calls import Synced
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from zhongkong.runtime.sqlite_file import Synchronous

SYNCED_WITHIN_S: Final = 1.3
"""With appendfsync everysec a write waits up to a second for its fsync."""

_TO_DISK: Final = Synced(1, 0, SYNCED_WITHIN_S)
_TO_REPLICA: Final = Synced(1, 1, SYNCED_WITHIN_S)


class Durability(StrEnum):
    """The levels, each above the one before."""

    PROCESS = "process"
    DISK = "disk"
    REPLICATED = "replicated"


@dataclass(frozen=True, slots=True)
class Facts:
    """What one Redis server says of itself; None where it doesn't say."""

    appendonly: bool | None
    appendfsync: str | None
    """always, everysec or no."""
    waitaof: bool | None
    """It knows the command WAITAOF (7.2 or later)."""
    replicas: int | None
    """Connected at this moment."""
    eviction: str | None
    """maxmemory-policy; noeviction where there is no maxmemory."""


@dataclass(frozen=True, slots=True)
class Pledge:
    """What can be promised."""

    synced: Synced | None = None
    """What each write waits for."""
    broken: str | None = None
    """The configuration can't keep the level: what is wrong, and what to set."""
    doubt: str | None = None
    """What can't be checked, or isn't so at this moment."""


def pledge(level: Durability, facts: Facts) -> Pledge:
    """What a server of these facts promises at a level."""
    if facts.eviction is not None and facts.eviction.startswith("allkeys-"):
        return Pledge(
            broken=f"Redis throws away what it holds when its memory is full (maxmemory-policy "
            f"{facts.eviction}); set maxmemory-policy noeviction"
        )
    if level is Durability.PROCESS:
        return Pledge()
    if facts.appendonly is False:
        return Pledge(
            broken=f"durability: {level} needs Redis to write to disk; set appendonly yes (and "
            "appendfsync always, where Redis is older than 7.2), or durability: process"
        )
    return _on_disk(facts) if level is Durability.DISK else _replicated(facts)


def sqlite_synchronous(level: Durability) -> Synchronous:
    """How SQLite keeps a level. Raises CannotStart for what a single file can't do."""
    if level is Durability.REPLICATED:
        raise CannotStart(
            "durability: replicated needs a Redis with a replica in `store`; one SQLite file is on "
            "one disk: set durability: disk"
        )
    return "FULL" if level is Durability.DISK else "NORMAL"


def _on_disk(facts: Facts) -> Pledge:
    if facts.appendfsync == "always":
        return Pledge()
    if facts.waitaof:
        # Should the append-only file be off after all, WAITAOF says so.
        return Pledge(_TO_DISK)
    if facts.appendfsync is None:
        return Pledge(
            doubt="durability: disk can't be checked: Redis refuses CONFIG GET; see to it that it "
            "has appendonly yes and appendfsync always"
        )
    return Pledge(
        broken=f"durability: disk needs every write on disk before it is answered, and Redis has "
        f"appendfsync {facts.appendfsync}; set appendfsync always, or use Redis 7.2 or later, or "
        "set durability: process"
    )


def _replicated(facts: Facts) -> Pledge:
    if facts.waitaof is False:
        return Pledge(
            broken="durability: replicated needs Redis 7.2 or later (WAITAOF); use one, or set "
            "durability: disk"
        )
    if facts.replicas == 0:
        return Pledge(
            _TO_REPLICA,
            doubt="durability: replicated waits for a replica, and none is connected to Redis; "
            "until one is, nothing is accepted by it",
        )
    return Pledge(_TO_REPLICA)
