"""Which inbox an address means. What it keeps, and how, is each one's own."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from callback_gateway.inbox.durability import Durability, sqlite_synchronous
from callback_gateway.inbox.memory import MemoryInbox
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import MemoryTarget, SqliteTarget, parse_store_url

if TYPE_CHECKING:
    from pathlib import Path

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.inbox.records import Keeping
    from callback_gateway.inbox.spooled import SpooledInbox
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.storage import RedisTarget

OP_TIMEOUT_S: Final = 1.0
"""WeChat waits for the answer of what is being stored."""


async def open_inbox(
    url: str,
    *,
    base: Path,
    spool: str,
    durability: str,
    keeping: Keeping,
    clock: Clock,
    randomness: Randomness,
    observer: StoreObserver | None = None,
) -> Inbox:
    """Open the inbox at a `store:` address; relative paths count from `base`.

    With Redis it is a SpooledInbox, and `spool` is the address of its file; a Redis that is away is
    no error. Raises CannotStart where `durability` can't be kept as things are configured, and
    StoreUrlError, AlreadyRunning, StoreUnusable, StoreUnsupported, StoreUnavailable.
    """
    level = Durability(durability)
    target = parse_store_url(url, base)
    if isinstance(target, MemoryTarget):
        return MemoryInbox(clock, randomness, keeping)
    if isinstance(target, SqliteTarget):
        from callback_gateway.inbox.sqlite import SqliteInbox  # noqa: PLC0415 - see below

        return await SqliteInbox.open(
            target.path,
            clock=clock,
            randomness=randomness,
            keeping=keeping,
            synchronous=sqlite_synchronous(level),
        )
    place = parse_store_url(spool, base)
    if not isinstance(place, SqliteTarget):
        raise CannotStart("spool: a file of this machine is needed: sqlite:///var/spool.db")
    return await _open_redis(
        target,
        place,
        level,
        keeping=keeping,
        clock=clock,
        randomness=randomness,
        observer=observer,
    )


async def _open_redis(
    target: RedisTarget,
    spool: SqliteTarget,
    level: Durability,
    *,
    keeping: Keeping,
    clock: Clock,
    randomness: Randomness,
    observer: StoreObserver | None,
) -> SpooledInbox:
    # Loading the Redis client takes a good part of the start of a process that may not need it.
    from callback_gateway.inbox.promise import Promise  # noqa: PLC0415
    from callback_gateway.inbox.redis import RedisInbox  # noqa: PLC0415
    from callback_gateway.inbox.spool import Spool  # noqa: PLC0415
    from callback_gateway.inbox.spooled import SpooledInbox  # noqa: PLC0415
    from zhongkong.runtime.redis import RedisConnection  # noqa: PLC0415

    async with AsyncExitStack() as opened:
        connection = await RedisConnection.open(target, op_timeout_s=OP_TIMEOUT_S)
        opened.push_async_callback(connection.close)
        promise = Promise(connection, level, observer)
        await promise.begin()
        file = await Spool.open(
            spool.path,
            clock=clock,
            randomness=randomness,
            keeping=keeping,
            synchronous="NORMAL" if level is Durability.PROCESS else "FULL",
        )
        opened.pop_all()
    inbox = RedisInbox(
        connection, randomness=randomness, keeping=keeping, promise=promise, observer=observer
    )
    return SpooledInbox(inbox, file, clock=clock, observer=observer)
