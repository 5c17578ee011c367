"""What a `store:` address means, and how stores say that they can't be used.

The connections themselves are in sqlite.py and redis.py; nothing here touches a disk or a socket.
No message and no repr contains a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from zhongkong.runtime.redis_url import REDIS_MODES, redis_target
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.store_targets import (
    MemoryTarget,
    RedisTarget,
    SqliteTarget,
    StoreTarget,
    StoreUrlError,
)

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

__all__ = [
    "AlreadyRunning",
    "MemoryTarget",
    "RedisTarget",
    "SqliteTarget",
    "StoreTarget",
    "StoreUnavailable",
    "StoreUnsupported",
    "StoreUnusable",
    "StoreUrlError",
    "parse_store_url",
]

_KNOWN = (
    "a store is sqlite:///var/file.db (relative to the config file), sqlite:////absolute/file.db, "
    "redis://host:6379/0, rediss://…, redis+sentinel://host:26379,host:26379/master_name/0 "
    "or redis+cluster://host:6379,host:6379"
)


class StoreUnavailable(Exception):
    """The store can't be reached or can't write; whether the call took effect is unknown.

    The message says what is wrong and holds no secret. The call may be repeated where the store's
    own method says so; connections heal by themselves.
    """


class StoreUnsupported(StoreUnavailable, CannotStart):
    """The store answers but can't serve us as it is (version, mode, file system)."""


class StoreUnusable(StoreUnavailable, CannotStart):
    """The store's file can't be opened or is damaged; the message says what to do."""


class AlreadyRunning(CannotStart):
    """Another process holds this SQLite file; the message names file, process and remedy."""


def parse_store_url(url: str, base: Path) -> StoreTarget:
    """Read a `store:` address. Relative paths count from `base` (the config file's folder).

    Known are sqlite:///relative.db, sqlite:////absolute.db, memory://, redis://, rediss://,
    redis+sentinel://host:port,host:port/master_name/db and redis+cluster://host:port,host:port.
    Credentials are percent-decoded. Raises StoreUrlError, which never shows what stood in the
    address where a password could stand.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        # The library's message quotes the part of the address that holds the password.
        raise StoreUrlError(f"the address can't be read; {_KNOWN}") from None
    if parts.scheme == "sqlite":
        return _sqlite(parts, base)
    if parts.scheme == "memory":
        if parts.netloc or parts.path.strip("/") or parts.query:
            raise StoreUrlError("memory:// takes nothing after it")
        return MemoryTarget()
    if parts.scheme in REDIS_MODES:
        return redis_target(parts, base)
    raise StoreUrlError(_KNOWN)


def _sqlite(parts: SplitResult, base: Path) -> SqliteTarget:
    if parts.netloc:
        raise StoreUrlError(
            "sqlite: takes three slashes before a relative path (sqlite:///var/file.db) "
            "and four before an absolute one (sqlite:////var/file.db)"
        )
    if parts.query or parts.fragment:
        raise StoreUrlError("sqlite: takes no options; write ? and # in a path as %3F and %23")
    path = unquote(parts.path[1:])
    if not path or path.endswith("/") or path == ":memory:" or "\0" in path:
        raise StoreUrlError("sqlite: needs the path of a file, as in sqlite:///var/file.db")
    return SqliteTarget(base / path)
