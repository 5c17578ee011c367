from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from token_service.internal import REVOCATIONS_PATH, make_internal_app
from token_service.keys import digest_of_key
from zhongkong.runtime.admin import Guard
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.storage import StoreUnavailable

ADMIN = "admin-key-0123456789abcdefghij"


async def _knows_nobody(_client: str) -> bool:
    return False


async def _knows_everybody(_client: str) -> bool:
    return True


async def _has_no_store(_client: str) -> bool:
    raise StoreUnavailable("away")


@dataclass
class Internal:
    session: aiohttp.ClientSession
    port: int

    async def revoke(self, client: str, key: str = ADMIN) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.port}{REVOCATIONS_PATH.format(name=client)}"
        headers = {"Authorization": f"Bearer {key}"}
        async with self.session.post(url, headers=headers) as response:
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def internal(revoke: Callable[[str], Awaitable[bool]]) -> AsyncIterator[Internal]:
    app = make_internal_app(
        Guard([], digest_of_key(ADMIN), service="token_service"),
        Readiness(lambda: None, Stop()),
        status=lambda: {"tokens": []},
        metrics=lambda: b"token_service_up 1\n",
        revoke=revoke,
        clients=list,
        clock=SystemClock(),
        randomness=SystemRandomness(),
    )
    async with (
        aiohttp.ClientSession() as session,
        await Listeners.open([Listener(app, "127.0.0.1", 0, "internal")]) as listeners,
    ):
        yield Internal(session, listeners.port("internal"))


async def test_a_client_is_revoked_by_the_holder_of_the_admin_key_alone() -> None:
    async with internal(_knows_everybody) as it:
        assert (await it.revoke("orders", "another-key-0123456789abcdefgh"))[0] == 401
        assert await it.revoke("orders") == (200, {"client": "orders", "revoked": True})


@pytest.mark.parametrize(
    ("revoke", "status", "title"),
    [(_knows_nobody, 404, "Unknown client"), (_has_no_store, 503, "Revoked here only")],
)
async def test_a_revocation_that_has_not_reached_everybody_says_so(
    revoke: Callable[[str], Awaitable[bool]], status: int, title: str
) -> None:
    async with internal(revoke) as it:
        answered, document = await it.revoke("orders")

    assert (answered, document["title"]) == (status, title)
