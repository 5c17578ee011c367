"""How many different events a gateway's store remembers, read past the gateway.

In Redis their ids are looked for wherever they stand, so that this knows nothing of its layout.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis as redis_py

_EVENT_ID = re.compile(rb"msg_[0-9a-f]{32}")
_AT_A_TIME = 10_000


def stored_in_sqlite(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
    return int(count)


def stored_in_redis(client: redis_py.Redis) -> int:
    """Takes a fraction of a second for 100,000 events: between rounds, not during one."""
    ids: set[bytes] = set()
    for key in client.scan_iter(count=_AT_A_TIME):
        if found := _EVENT_ID.search(key):
            ids.add(found[0])
            continue
        for member in _members(client, key):
            if found := _EVENT_ID.search(member):
                ids.add(found[0])
    return len(ids)


def _members(client: redis_py.Redis, key: bytes) -> Iterator[bytes]:
    """Fields or members of a key, where it has any."""
    client_: Any = client  # its answers are typed for the asynchronous client as well
    kind = client_.type(key)
    if kind == b"hash":
        return (name for name, _ in client_.hscan_iter(key, count=_AT_A_TIME))
    if kind == b"zset":
        return (name for name, _ in client_.zscan_iter(key, count=_AT_A_TIME))
    if kind == b"set":
        return iter(client_.sscan_iter(key, count=_AT_A_TIME))
    return iter(())
