"""The Redis of a process: plain, TLS, behind sentinels or a cluster; all is done by scripts.

It connects when it is needed and heals by itself. Keys and scripts belong to the stores, what the
errors mean to redis_faults.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, Self

from redis.exceptions import NoScriptError, ResponseError

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.redis_calls import Script, ScriptCall, Synced
from zhongkong.runtime.redis_cluster import Cluster
from zhongkong.runtime.redis_faults import LOST, ScriptFailed, script_failed, unavailable
from zhongkong.runtime.redis_links import Links
from zhongkong.runtime.redis_places import BehindSentinels, Fixed
from zhongkong.runtime.storage import StoreUnavailable, StoreUnsupported, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from zhongkong.runtime.redis_wire import Word
    from zhongkong.runtime.storage import RedisTarget

__all__ = ["RedisConnection", "Script", "ScriptCall", "ScriptFailed", "Synced"]

OP_TIMEOUT_S = 2.0
MAX_CONNECTIONS = 32

log = get_logger()


class _Server(Protocol):
    async def call(self, *words: Word) -> Any: ...
    async def call_each(
        self, commands: Sequence[Sequence[Word]], then: Sequence[Word] = ()
    ) -> tuple[list[Any], list[Any]]: ...
    async def ask(self, *words: Word) -> list[Any]: ...
    async def renew(self) -> None: ...
    async def close(self) -> None: ...


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
            server = Cluster(target, op_timeout_s, MAX_CONNECTIONS)
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
        call = ScriptCall(script, keys, args)
        try:
            try:
                return await self._in_time(self._server.call, *call.by_name())
            except NoScriptError:
                return await self._in_time(self._server.call, *call.in_full())
        except ResponseError as error:
            raise script_failed(script.name, error) from error

    async def run_each(
        self, calls: Sequence[ScriptCall], synced: Synced | None = None
    ) -> list[Any]:
        """Run several scripts and return their answers: in one trip where one server has them all.

        With `synced` they count once their writes are on disk as it says. No order is promised.
        Raises as `run` does, for the first that failed or wasn't on disk in time; others may have
        run.
        """
        answers, reached = await self._each([call.by_name() for call in calls], synced)
        forgotten = [
            place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)
        ]
        if forgotten:
            repeated = [calls[place].in_full() for place in forgotten]
            again, reached_then = await self._each(repeated, synced)
            reached += reached_then
            for place, answer in zip(forgotten, again, strict=True):
                answers[place] = answer
        for call, answer in zip(calls, answers, strict=True):
            await self._refuse(answer, call.script)
        if synced is not None:
            self._refuse_unsynced(reached, synced)
        return answers

    async def ask(self, *words: Word) -> list[Any]:
        """Send a command that changes nothing to the server, in a cluster to every master.

        Returns the answers, None where the server refused to give one (ACL, unknown command).
        Raises StoreUnavailable.
        """
        answers = await self._in_time(self._server.ask, *words)
        return [None if isinstance(each, ResponseError) else each for each in answers]

    async def close(self) -> None:
        """Close every connection. May be repeated."""
        if self._closed:
            return
        self._closed = True
        await self._server.close()

    async def _each(
        self, commands: Sequence[Sequence[Word]], synced: Synced | None
    ) -> tuple[list[Any], list[Any]]:
        found: tuple[list[Any], list[Any]]
        if synced is None:
            found = await self._in_time(self._server.call_each, commands)
        else:
            found = await self._in_time(
                self._server.call_each, commands, synced.command(), extra_s=synced.within_s
            )
        return found

    def _refuse_unsynced(self, reached: Sequence[Any], synced: Synced) -> None:
        for answer in reached:
            if isinstance(answer, ResponseError):
                raise StoreUnavailable(f"Redis at {self._target}: WAITAOF failed: {answer}")
            local, replicas = answer
            if local < synced.local or replicas < synced.replicas:
                raise StoreUnavailable(
                    f"Redis at {self._target}: what was written was not on the disks of the server "
                    f"and of {synced.replicas} replicas within {synced.within_s:g} s"
                )

    async def _in_time(
        self, send: Callable[..., Awaitable[Any]], *words: Any, extra_s: float = 0.0
    ) -> Any:
        if self._closed:
            raise StoreUnavailable(f"Redis at {self._target}: the connection is closed")
        try:
            async with asyncio.timeout(self._op_timeout_s + extra_s):
                async with self._slots:
                    return await send(*words)
        except LOST as error:
            problem = unavailable(error, self._target)
            if problem is None:
                raise
            await self._server.renew()
            raise problem from error

    async def _refuse(self, answer: Any, script: Script) -> None:
        """Raise what an answer stands for when it is a refusal."""
        if not isinstance(answer, ResponseError):
            return
        problem = unavailable(answer, self._target)
        if problem is None:
            raise script_failed(script.name, answer) from answer
        await self._server.renew()
        raise problem from answer

    async def _look(self) -> None:
        """Meet the server if it is there, so that one that is too old is refused at the start."""
        try:
            await self._in_time(self._server.call, "PING")
        except StoreUnsupported:
            raise
        except StoreUnavailable as problem:
            log.warning("store_unavailable", reason=str(problem))
