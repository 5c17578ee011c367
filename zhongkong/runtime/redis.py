"""The Redis of a process: plain, TLS, behind sentinels or a cluster; one script a call.

It connects when it is needed and heals by itself. Keys and scripts belong to the stores, what the
errors mean to redis_faults.py.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
    NoScriptError,
    ResponseError,
)

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.redis_faults import LOST, ScriptFailed, script_failed, unavailable
from zhongkong.runtime.redis_links import (
    BehindSentinels,
    Fixed,
    Links,
    Word,
    options,
    refuse_old,
)
from zhongkong.runtime.storage import StoreUnavailable, StoreUnsupported, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.runtime.storage import RedisTarget

__all__ = ["RedisConnection", "Script", "ScriptFailed"]

OP_TIMEOUT_S = 2.0
MAX_CONNECTIONS = 32

log = get_logger()


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


class _Server(Protocol):
    async def call(self, *words: Word) -> Any: ...
    async def renew(self) -> None: ...
    async def close(self) -> None: ...


class _Cluster:
    """The client library's cluster, told to repeat nothing but what a node redirects."""

    def __init__(self, target: RedisTarget, timeout_s: float, limit: int) -> None:
        self._target = target
        self._version_seen = False
        self._client = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in target.addresses],
            # The seeds stay the configured names, so that a cluster on new addresses is found.
            dynamic_startup_nodes=False,
            max_connections=limit,
            ssl=target.tls is not None,
            # Shorter than the caller's patience: the library learns of a silent node by itself.
            socket_timeout=0.8 * timeout_s,
            **options(target, timeout_s),
        )

    async def call(self, *words: Word) -> Any:
        try:
            if not self._version_seen:
                await self._client.initialize()
                info = await self._client.get_default_node().execute_command("INFO", "server")
                refuse_old(str(info["redis_version"]), self._target)
                self._version_seen = True
            return await self._client.execute_command(*words)
        except (AttributeError, LookupError) as error:
            # The library reads its map of the cluster while another call of ours replaces it.
            raise RedisConnectionError("the map of the cluster is being renewed") from error

    async def renew(self) -> None:
        """The library looks at the cluster again by itself; a new server may be of any version."""
        self._version_seen = False

    async def close(self) -> None:
        await self._client.aclose()


class RedisConnection:
    """Runs scripts. Nothing is ever sent twice by itself, except after NOSCRIPT."""

    def __init__(self, target: RedisTarget, server: _Server, op_timeout_s: float) -> None:
        """Use `open`."""
        self._target = target
        self._server = server
        self._op_timeout_s = op_timeout_s
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._closed = False

    @classmethod
    async def open(cls, target: RedisTarget, *, op_timeout_s: float = OP_TIMEOUT_S) -> Self:
        """Return a connection, also when the server is away: it is looked for at every call.

        `op_timeout_s` bounds each call as a whole, with connecting and waiting for a free
        connection. Raises StoreUnsupported for a server older than 6.2, StoreUnusable for
        missing TLS files.
        """
        for file in target.tls.files() if target.tls else []:
            if not file.is_file():
                raise StoreUnusable(f"{file}, named in `store`, doesn't exist")
        server: _Server
        if target.mode == "cluster":
            server = _Cluster(target, op_timeout_s, MAX_CONNECTIONS)
        elif target.mode == "sentinel":
            place = BehindSentinels(target, op_timeout_s)
            server = Links(target, place, op_timeout_s)
        else:
            server = Links(target, Fixed(target), op_timeout_s)
        connection = cls(target, server, op_timeout_s)
        try:
            await connection._look()
        except BaseException:
            await connection.close()
            raise
        return connection

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Word]) -> Any:
        """Run a script and return its answer in RESP2 shapes (bytes, int, list, None).

        Raises StoreUnavailable when the server can't be reached or refuses for its state; the
        effect is then unknown, and the script may have run. In a cluster all keys must share a
        hash tag. Raises ScriptFailed for the script's own error.
        """
        try:
            try:
                return await self._call("EVALSHA", script.sha, len(keys), *keys, *args)
            except NoScriptError:
                return await self._call("EVAL", script.body, len(keys), *keys, *args)
        except ResponseError as error:
            raise script_failed(script.name, error) from error

    async def close(self) -> None:
        """Close every connection. May be repeated."""
        if self._closed:
            return
        self._closed = True
        await self._server.close()

    async def _call(self, *words: Word) -> Any:
        if self._closed:
            raise StoreUnavailable(f"Redis at {self._target}: the connection is closed")
        try:
            async with asyncio.timeout(self._op_timeout_s):
                async with self._slots:
                    return await self._server.call(*words)
        except LOST as error:
            problem = unavailable(error, self._target)
            if problem is None:
                raise
            await self._server.renew()
            raise problem from error

    async def _look(self) -> None:
        """Meet the server if it is there, so that one that is too old is refused at the start."""
        try:
            await self._call("PING")
        except StoreUnsupported:
            raise
        except StoreUnavailable as problem:
            log.warning("store_unavailable", reason=str(problem))
