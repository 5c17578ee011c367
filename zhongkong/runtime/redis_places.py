"""Where the one Redis server to write to is: at a fixed address, or where the sentinels say.

Connections to it are in redis_links.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError, ResponseError

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

    from zhongkong.runtime.storage import RedisTarget


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
        try:
            host, port = await self._sentinel.discover_master(self._name)
        except ResponseError as error:
            raise RedisConnectionError("what answers there is no sentinel") from error
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
