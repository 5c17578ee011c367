"""The native API over a stand-in for the rotation, on a real listener, and clients of all kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.token_service.fake_source import FakeSource, served
from token_service.api import Api
from token_service.clients import Caller, Clients, Verb
from token_service.directory import Account, Directory
from token_service.keys import digest_of_key
from token_service.request_metrics import RequestTallies
from token_service.slot import Kind, Mode, Slot
from token_service.waiting import WaitingRoom
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings import Glob
from zhongkong.runtime.tasks import TaskOwner

SHOP = Slot("wx0123456789abcdef", Kind.ACCESS_TOKEN, Mode.STABLE)
BANK = Slot("wxfedcba9876543210", Kind.ACCESS_TOKEN, Mode.CLASSIC)
TOKEN = "/v1/accounts/shop/tokens/access_token"
REJECTIONS = f"{TOKEN}/rejections"
ROTATIONS = f"{TOKEN}/rotations"
KEYS = {
    name: f"{name}-key-0123456789abcdefghijkl" for name in ("orders", "ops", "reader", "nothing")
}


@dataclass(frozen=True)
class Answer:
    """A response, read whole."""

    status: int
    headers: Any
    body: bytes
    document: Any


@dataclass(frozen=True)
class World:
    """What a test of the API touches."""

    source: FakeSource
    api: Api
    room: WaitingRoom
    tallies: RequestTallies
    session: aiohttp.ClientSession
    port: int

    async def ask(
        self, method: str, path: str, *, key: str | None = "ops", **options: Any
    ) -> Answer:
        """Call with one of KEYS by name; None: without a key."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {KEYS[key]}")
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, headers=headers, **options) as response:
            body = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "") and body
            document = await response.json(content_type=None) if is_json else None
            return Answer(response.status, response.headers, body, document)

    async def raw(self, data: bytes) -> bytes:
        """Send bytes and read until the other side closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer


def caller(name: str, accounts: str, *verbs: Verb, kinds: str = "*") -> Caller:
    digest = bytes.fromhex(digest_of_key(KEYS[name]))
    return Caller(name, digest, (Glob(accounts),), (Glob(kinds),), frozenset(verbs))


CALLERS = (
    caller("orders", "shop", Verb.READ, Verb.REPORT),
    caller("ops", "*", *Verb),
    caller("reader", "b*", Verb.READ),
    caller("nothing", "none"),
)


def directory(*callers: Caller) -> Directory:
    accounts = {
        name: Account(name, slot.appid, {slot.kind: slot})
        for name, slot in (("shop", SHOP), ("bank", BANK))
    }
    return Directory(accounts, Clients(callers or CALLERS))


@asynccontextmanager
async def api_world(*, seats: int = 100) -> AsyncIterator[World]:
    clock = SystemClock()
    source = FakeSource()
    source.live = {SHOP: served(SHOP), BANK: served(BANK, "bank-token-value")}
    room, tallies = WaitingRoom(seats), RequestTallies("token_service")
    async with TaskOwner(clock, SystemRandomness()) as tasks, aiohttp.ClientSession() as session:
        api = Api(source, directory(), room=room, tallies=tallies, tasks=tasks, clock=clock)
        async with await Listeners.open([Listener(api.app, "127.0.0.1", 0, "client")]) as listeners:
            yield World(source, api, room, tallies, session, listeners.port("client"))
