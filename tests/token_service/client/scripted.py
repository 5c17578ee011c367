"""A token service that does what a test tells it, wrong things included, on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.token_service.client.stepped_clock import START, Middle, SteppedClock
from token_service.client import TokenClient

KEY = "orders-key-0123456789abcdefghij"
TOKEN = "/v1/accounts/shop/tokens/access_token"
REJECTIONS = f"{TOKEN}/rejections"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def token(name: str, *, lives_s: int = 7200, issued_at: float = START) -> Answer:
    """Answer with the token `value-<name>` of version `<name>`; 304 where that is known."""

    async def answer(request: web.Request) -> web.Response:
        headers = {"ETag": f'"{name}"', "Cache-Control": "no-store"}
        if request.headers.get("If-None-Match") == f'"{name}"':
            return web.Response(status=304, headers=headers)
        at = datetime.fromtimestamp(issued_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        document = {
            "account": "shop",
            "appid": "wx0123456789abcdef",
            "kind": "access_token",
            "value": f"value-{name}",
            "version": name,
            "issued_at": at,
            "expires_at": at,
            "expires_in": lives_s,
        }
        return web.json_response(document, headers=headers)

    return answer


def problem(status: int, slug: str = "busy", **extra: Any) -> Answer:
    retry_after = extra.pop("retry_after", None)

    async def answer(request: web.Request) -> web.Response:
        document = {"type": f"urn:zhongkong:problem:{slug}", "title": slug, "status": status}
        return web.json_response(
            document | extra,
            status=status,
            content_type="application/problem+json",
            headers={} if retry_after is None else {"Retry-After": str(retry_after)},
        )

    return answer


def plain(body: bytes, status: int = 200, content_type: str = "text/plain") -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type=content_type)

    return answer


async def reset(request: web.Request) -> web.Response:
    """Take the request, and break the connection."""
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut_short(request: web.Request) -> web.StreamResponse:
    """Begin an answer, and break the connection."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"value": "half')
    assert request.transport is not None
    request.transport.abort()
    return response


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: str
    headers: Any
    body: bytes


class ScriptedService:
    """`answer` is what it does next; `hold`, once set, makes requests wait for it."""

    def __init__(self) -> None:
        self.answer: Answer = token("1")
        self.hold: asyncio.Event | None = None
        self.asked: list[Asked] = []
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be away: connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(self.asked) >= times)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path, query = request.raw_path.partition("?")[::2]
        asked = Asked(request.method, path, query, request.headers, body)
        answer = self.answer
        async with self._news:
            self.asked.append(asked)
            self._news.notify_all()
        if self.hold is not None:
            await self.hold.wait()
        return await answer(request)


@dataclass
class World:
    service: ScriptedService
    clock: SteppedClock
    tokens: TokenClient

    async def look_again(self, after_s: float = 60.0) -> None:
        """Let the background ask once more, and go to sleep again."""
        await self.clock.until_asleep()
        asked = len(self.service.asked)
        self.clock.advance(after_s)
        await self.service.until_asked(asked + 1)
        await self.clock.until_asleep()

    async def leave_alone(self) -> None:
        """Let so many looks pass without a reader that the background ends."""
        for _ in range(4):
            await self.look_again()
        self.clock.advance(60)
        await self.at_rest()

    async def at_rest(self) -> None:
        """Wait until nothing runs in the background."""
        async with asyncio.timeout(30):
            while tasks := self.tokens._tasks:
                await asyncio.wait(set(tasks))


@asynccontextmanager
async def world(**options: Any) -> AsyncIterator[World]:
    service, clock = ScriptedService(), SteppedClock()
    await service.start()
    given = options or {"key": KEY}
    try:
        async with TokenClient(service.url, clock=clock, randomness=Middle(), **given) as tokens:
            yield World(service, clock, tokens)
    finally:
        await service.stop()
