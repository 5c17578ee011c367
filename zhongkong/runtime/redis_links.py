"""Connections to the one Redis server that is to be written to, wherever it is just now.

How it is found is in redis_places.py; clusters are in redis_cluster.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError, RedisError, ResponseError

from zhongkong.runtime.redis_places import options
from zhongkong.runtime.redis_wire import pack
from zhongkong.runtime.storage import StoreUnsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zhongkong.runtime.redis_places import BehindSentinels, Fixed
    from zhongkong.runtime.redis_wire import Word
    from zhongkong.runtime.storage import RedisTarget

MIN_VERSION = (6, 2)
_VERSION = re.compile(rb"redis_version:([\d.]+)")


class Links:
    """As many connections as there are calls at once, thrown away when in doubt."""

    def __init__(
        self, target: RedisTarget, place: Fixed | BehindSentinels, timeout_s: float
    ) -> None:
        self._target = target
        self._place = place
        self._class = SSLConnection if target.tls else Connection
        # The caller's timeout covers sending and reading; one per command more would cost a task.
        self._options = {**options(target, timeout_s), "socket_timeout": None}
        self._idle: list[Connection] = []
        self._address: tuple[str, int] | None = None
        self._ask_again_at = 0.0
        self._generation = 0

    async def call(self, *words: Word) -> Any:
        """One command, sent once. Raises what the client library raises; see redis_faults.LOST."""
        link = await self._take()
        generation = self._generation
        try:
            await link.send_packed_command(pack(words))
            answer = await link.read_response()
        except ResponseError:
            await self._give_back(link, generation)
            raise
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        await self._give_back(link, generation)
        return answer

    async def call_each(
        self, commands: Sequence[Sequence[Word]], then: Sequence[Word] = ()
    ) -> tuple[list[Any], list[Any]]:
        """Several commands, and `then` after them, on one connection in one trip.

        Each is sent once; a refusal stands in the place of its answer. Returns the answers, and
        the answer to `then` where there is one.
        """
        sent = [*commands, then] if then else commands
        link = await self._take()
        generation = self._generation
        try:
            await link.send_packed_command(b"".join(map(pack, sent)))
            answers = [await _answer(link) for _ in sent]
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        await self._give_back(link, generation)
        return answers[: len(commands)], answers[len(commands) :]

    async def ask(self, *words: Word) -> list[Any]:
        """Ask the server; a refusal stands in the place of its answer."""
        answers, _ = await self.call_each([words])
        return answers

    async def renew(self) -> None:
        """Use none of the present connections again: the server behind them is the wrong one."""
        self._generation += 1
        idle, self._idle = self._idle, []
        for link in idle:
            await link.disconnect(nowait=True)

    async def close(self) -> None:
        """Over TLS it waits for the server's goodbye, for as long as connecting may take."""
        self._generation += 1
        idle, self._idle = self._idle, []
        await asyncio.gather(*map(_leave, idle))
        await self._place.close()

    async def _take(self) -> Connection:
        if self._idle and asyncio.get_running_loop().time() >= self._ask_again_at:
            with contextlib.suppress(RedisError, OSError):  # what we have may be as good as before
                await self._find()
        while self._idle:
            link = self._idle.pop()
            try:
                # Readable while nothing was asked means closed by the server, or out of step.
                usable = link.is_connected and not await link.can_read()
            except RedisConnectionError:
                usable = False
            if usable:
                return link
            await link.disconnect(nowait=True)
        return await self._connect()

    async def _connect(self) -> Connection:
        host, port = await self._find()
        link = self._class(host=host, port=port, db=self._target.db, **self._options)
        try:
            await link.connect()  # type: ignore[no-untyped-call]
            await self._place.verify(link)
            await self._check_version(link)
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        return link

    async def _find(self) -> tuple[str, int]:
        self._ask_again_at = asyncio.get_running_loop().time() + self._place.ask_again_s
        address = await self._place.find()
        if self._address not in {None, address}:
            await self.renew()
        self._address = address
        return address

    async def _check_version(self, link: Connection) -> None:
        await link.send_command("INFO", "server")
        try:
            info: bytes = await link.read_response()
        except ResponseError as error:
            if error.status_code != "NOPERM":
                raise
            return
        if found := _VERSION.search(info):
            refuse_old(found[1].decode(), self._target)

    async def _give_back(self, link: Connection, generation: int) -> None:
        if generation == self._generation:
            self._idle.append(link)
        else:
            await link.disconnect(nowait=True)


async def _leave(link: Connection) -> None:
    with contextlib.suppress(RedisError, OSError):
        await link.disconnect()


async def _answer(link: Connection) -> Any:
    try:
        return await link.read_response()
    except ResponseError as refusal:
        return refusal


def refuse_old(version: str, target: RedisTarget) -> None:
    """Raise StoreUnsupported for a version that lacks what the scripts use."""
    numbers = tuple(int(number) for number in version.split(".")[:2] if number.isdigit())
    if numbers < MIN_VERSION:
        raise StoreUnsupported(f"Redis at {target} is version {version}; 6.2 or later is needed")
