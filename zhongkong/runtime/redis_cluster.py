"""A Redis cluster: the client library knows its map, and repeats nothing but what is redirected.

What the errors mean is in redis_faults.py; connections to a single server are in redis_links.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio.cluster import ClusterNode, PipelineCommand, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError, MovedError, ResponseError

from zhongkong.runtime.redis_links import refuse_old
from zhongkong.runtime.redis_places import options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from zhongkong.runtime.redis_wire import Word
    from zhongkong.runtime.storage import RedisTarget

_FIRST_KEY = 3
"""Where EVAL and EVALSHA have it."""


class Cluster:
    """The client library's cluster."""

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
        """One command, to the node of its key."""
        return await self._on_the_map(lambda: self._client.execute_command(*words))

    async def call_each(
        self, commands: Sequence[Sequence[Word]], then: Sequence[Word] = ()
    ) -> tuple[list[Any], list[Any]]:
        """Several commands at once, each to the node of its key, followed there by `then`.

        A refusal stands in the place of its answer. Returns the answers, and those to `then`.
        """
        if not then:
            return await asyncio.gather(*(self._answer(words) for words in commands)), []
        pairs = await asyncio.gather(*(self._pair(words, then) for words in commands))
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    async def ask(self, *words: Word) -> list[Any]:
        """Ask every master; a refusal stands in the place of its answer."""
        answers: list[Any] = await self._on_the_map(lambda: self._ask(words))
        return answers

    async def renew(self) -> None:
        """The library looks at the cluster again by itself; a new server may be of any version."""
        self._version_seen = False

    async def close(self) -> None:
        await self._client.aclose()

    async def _on_the_map(self, work: Callable[[], Awaitable[Any]]) -> Any:
        try:
            if not self._version_seen:
                await self._client.initialize()
                info = await self._client.get_default_node().execute_command("INFO", "server")
                refuse_old(str(info["redis_version"]), self._target)
                self._version_seen = True
            return await work()
        except (AttributeError, LookupError) as error:
            # The library reads its map of the cluster while another call of ours replaces it.
            raise RedisConnectionError("the map of the cluster is being renewed") from error

    async def _answer(self, words: Sequence[Word]) -> Any:
        try:
            return await self.call(*words)
        except ResponseError as refusal:
            return refusal

    async def _pair(self, words: Sequence[Word], then: Sequence[Word]) -> list[Any]:
        """Two commands on one connection, to the node of the first one's key."""
        pair: list[Any] = await self._on_the_map(lambda: self._together(words, then))
        return pair

    async def _together(self, words: Sequence[Word], then: Sequence[Word]) -> list[Any]:
        key = str(words[_FIRST_KEY])
        answers = await _pipelined(self._client.get_node_from_key(key), [words, then])
        if isinstance(answers[0], MovedError):
            # Any command that is redirected teaches the library the new place of the key.
            await self._client.execute_command("EXISTS", key)
            raise RedisConnectionError("the key has moved to another node")
        return answers

    async def _ask(self, words: Sequence[Word]) -> list[Any]:
        found = await asyncio.gather(
            *(_pipelined(node, [words]) for node in self._client.get_primaries())
        )
        return [answers[0] for answers in found]


async def _pipelined(node: ClusterNode | None, commands: Sequence[Sequence[Word]]) -> list[Any]:
    if node is None:
        raise RedisConnectionError("no node of the cluster has this key")
    # A name in bytes keeps the library from giving the answer a shape of its own.
    calls = [
        PipelineCommand(place, str(name).encode(), *words)
        for place, (name, *words) in enumerate(commands)
    ]
    await node.execute_pipeline(calls)
    for call in calls:
        if isinstance(call.result, BaseException) and not isinstance(call.result, ResponseError):
            raise call.result
    return [call.result for call in calls]
