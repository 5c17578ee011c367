"""What a gateway still has to deliver, asked of its files and its Redis themselves.

Its own status tells what it saw up to 5 s ago.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from callback_gateway.inbox.records import Keeping
from callback_gateway.inbox.redis import RedisInbox
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.redis import RedisConnection
from zhongkong.runtime.storage import RedisTarget, SqliteTarget, parse_store_url

_STORE = "(SELECT COUNT(*) FROM deliveries) + (SELECT COUNT(*) FROM dead_letters)"
_SPOOL = "(SELECT COUNT(*) FROM spooled)"


async def held(url: str, base: Path, root: Path) -> int | None:
    """Deliveries and dead letters in the file at this address, or events in this Redis.

    Relative paths count from `base`; `root` is where the gateway has its files from. None while
    nobody can tell, for the file is being written.
    """
    target = parse_store_url(url, base)
    if isinstance(target, SqliteTarget):
        return _count(_STORE, target.path, root)
    assert isinstance(target, RedisTarget)
    inbox = RedisInbox(
        await RedisConnection.open(target), randomness=SystemRandomness(), keeping=Keeping()
    )
    try:
        return (await inbox.depth()).events
    finally:
        await inbox.close()


def spooled(url: str, base: Path, root: Path) -> int | None:
    """Events in the spool, as `held`; 0 where none was ever needed."""
    target = parse_store_url(url, base)
    assert isinstance(target, SqliteTarget)
    place = root / target.path.relative_to("/")
    return _count(_SPOOL, target.path, root) if place.exists() else 0


def _count(what: str, path: Path, root: Path) -> int | None:
    """Of a copy: SQLite finds no file behind /proc/…/root, and the gateway's own stays alone."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(root / f"{path}{suffix}".removeprefix("/"), f"{copy}{suffix}")
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(copy)) as file:
            (count,) = file.execute(f"SELECT {what}").fetchone()
            return int(count)
    return None
