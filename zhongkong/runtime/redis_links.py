"""Connections to the one Redis server that is to be written to, wherever it is just now.

Finding it is a function (fixed address, or the sentinels' answer). Clusters are in redis.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError, RedisError, ResponseError

from zhongkong.runtime.storage import StoreUnsupported

if TYPE_CHECKING:
    from zhongkong.runtime.storage import RedisTarget

Word = bytes | str | int | float

MIN_VERSION = (6, 2)
_VERSION = re.compile(rb"redis_version:([\d.]+)")


def options(target: RedisTarget, timeout_s: float) -> dict[str, Any]:
    """Return the client library's settings that hold for every connection to `target`."""
    return {
        "username": target.login.username or None,
        "password": target.login.password or None,
        "socket_connect_timeout": timeout_s,
        "driver_info": None,
        # The caller decides what may be repeated.
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "health_check_interval": 0,
        **tls_options(target),
    }


def tls_options(target: RedisTarget) -> dict[str, Any]:
    tls = target.tls
    if tls is None:
        return {}
    return {
        "ssl_ca_certs": str(tls.ca_certs) if tls.ca_certs else None,
        "ssl_certfile": str(tls.certfile) if tls.certfile else None,
        "ssl_keyfile": str(tls.keyfile) if tls.keyfile else None,
        "ssl_cert_reqs": tls.cert_reqs,
        "ssl_check_hostname": tls.check_hostname,
    }


class Fixed:
    """A server at a fixed address; its name is looked up anew for every connection."""

    ask_again_s = math.inf

    def __init__(self, target: RedisTarget) -> None:
        self._address = target.addresses[0]

    async def find(self) -> tuple[str, int]:
        return self._address

    async def verify(self, link: Connection) -> None:
        """Any role will do: a replica says so itself when it is written to."""

    async def close(self) -> None:
        """Nothing to close."""


class BehindSentinels:
    """The master of that name, as the sentinels know it."""

    # A master that was deposed takes writes until the sentinels reach it, and those are lost.
    ask_again_s = 1.0

    def __init__(self, target: RedisTarget, timeout_s: float) -> None:
        # One silent sentinel must leave time to ask the others within the same call.
        share_s = timeout_s / (len(target.addresses) + 1)
        self._name = target.master_name
        self._sentinel = Sentinel(  # type: ignore[no-untyped-call]
            target.addresses,
            sentinel_kwargs={
                "username": target.sentinel_login.username or None,
                "password": target.sentinel_login.password or None,
                "socket_timeout": share_s,
                "socket_connect_timeout": share_s,
                "driver_info": None,
                "retry": Retry(NoBackoff(), 0),
                "protocol": 2,
                **({"ssl": True} if target.tls else {}),
                **tls_options(target),
            },
        )

    async def find(self) -> tuple[str, int]:
        host, port = await self._sentinel.discover_master(self._name)
        return str(host), int(port)

    async def verify(self, link: Connection) -> None:
        """Refuse a server that the sentinels still call the master and that knows better."""
        await link.send_command("ROLE")
        role = (await link.read_response())[0]
        if role != b"master":
            raise RedisConnectionError("the sentinels name a server that is not the master (yet)")

    async def close(self) -> None:
        for sentinel in self._sentinel.sentinels:
            await sentinel.aclose()


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
            await link.send_command(*words)
            answer = await link.read_response()
        except ResponseError:
            await self._give_back(link, generation)
            raise
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        await self._give_back(link, generation)
        return answer

    async def renew(self) -> None:
        """Use none of the present connections again: the server behind them is the wrong one."""
        self._generation += 1
        idle, self._idle = self._idle, []
        for link in idle:
            await link.disconnect(nowait=True)

    async def close(self) -> None:
        await self.renew()
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


def refuse_old(version: str, target: RedisTarget) -> None:
    """Raise StoreUnsupported for a version that lacks what the scripts use."""
    numbers = tuple(int(number) for number in version.split(".")[:2] if number.isdigit())
    if numbers < MIN_VERSION:
        raise StoreUnsupported(f"Redis at {target} is version {version}; 6.2 or later is needed")
