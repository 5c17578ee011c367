"""Keeping `durability` with a Redis: its facts are read at the start, and again after an outage.

What they mean is decided in durability.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from callback_gateway.inbox.durability import Facts, Pledge, pledge
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callback_gateway.inbox.durability import Durability
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.redis import RedisConnection, Synced

CHECK_AGAIN_S: Final = 60.0

log = get_logger()


class Promise:
    """What is promised about writes, and what they must wait for to keep it."""

    def __init__(
        self, connection: RedisConnection, level: Durability, observer: StoreObserver | None
    ) -> None:
        self._connection = connection
        self._level = level
        self._observer = observer
        self._pledge: Pledge | None = None
        self._checked_at = 0.0
        self._doubted = False

    async def begin(self) -> None:
        """Check the server, if it is there; one that is away is checked when it comes back.

        Raises CannotStart, which says what to set.
        """
        try:
            found = await self._look()
        except StoreUnavailable:
            return
        if found.broken is not None:
            raise CannotStart(found.broken)
        self._settle_for(found)

    async def synced(self) -> Synced | None:
        """What a write must wait for.

        Raises StoreUnavailable when it is time to look at the server again and that is away.
        """
        now = asyncio.get_running_loop().time()
        if self._pledge is None or self._doubted or now - self._checked_at >= CHECK_AGAIN_S:
            self._settle_for(await self._look())
            self._checked_at, self._doubted = now, False
        assert self._pledge is not None  # noqa: S101 - it was settled just now
        return self._pledge.synced

    def doubt(self) -> None:
        """The server was away: another one may come back."""
        self._doubted = True

    async def _look(self) -> Pledge:
        """The weakest pledge of all masters."""
        pledges = [pledge(self._level, facts) for facts in await read_facts(self._connection)]
        return min(pledges, key=lambda each: (each.broken is None, each.doubt is None))

    def _settle_for(self, found: Pledge) -> None:
        before, self._pledge = self._pledge, found
        if before == found:
            return
        if found.broken is not None:
            log.error("durability_not_kept", durability=self._level, reason=found.broken)
        elif found.doubt is not None:
            log.warning("durability_in_doubt", durability=self._level, reason=found.doubt)
        if self._observer is not None:
            self._observer.promise_broken(found.broken is not None)


async def read_facts(connection: RedisConnection) -> list[Facts]:
    """What each master says of itself. Raises StoreUnavailable."""
    append = await connection.ask("CONFIG", "GET", "append*")
    memory = await connection.ask("CONFIG", "GET", "maxmemory*")
    command = await connection.ask("COMMAND", "INFO", "WAITAOF")
    info = await connection.ask("INFO", "persistence")
    role = await connection.ask("ROLE")
    return [
        _facts(_settings(each[0]), _settings(each[1]), *each[2:])
        for each in zip(append, memory, command, info, role, strict=True)
    ]


def _facts(
    append: dict[str, str],
    memory: dict[str, str],
    command: Sequence[Any] | None,
    info: bytes | None,
    role: Sequence[Any] | None,
) -> Facts:
    appendonly = {"yes": True, "no": False}.get(append.get("appendonly", ""))
    if appendonly is None and info is not None:
        appendonly = {b"1": True, b"0": False}.get(info.partition(b"aof_enabled:")[2][:1])
    eviction = memory.get("maxmemory-policy")
    return Facts(
        appendonly=appendonly,
        appendfsync=append.get("appendfsync"),
        waitaof=None if command is None else bool(command and command[0]),
        replicas=len(role[2]) if role is not None and role[0] == b"master" else None,
        eviction="noeviction" if memory.get("maxmemory") == "0" else eviction,
    )


def _settings(flat: Sequence[bytes] | None) -> dict[str, str]:
    words = [word.decode() for word in flat or ()]
    return dict(zip(words[::2], words[1::2], strict=True))
