"""An internal listener with pages of its own, and a browser that keeps its cookies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import aiohttp

from zhongkong.runtime.admin import Guard, internal_app
from zhongkong.runtime.clock import SystemRandomness
from zhongkong.runtime.health import Readiness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.pages.site import Site
from zhongkong.runtime.pages.visits import Brand, Visit
from zhongkong.runtime.problems import Problem

ADMIN = "admin-key-0123456789abcdefghij"
BRAND = Brand("example", "zhongkong.runtime.pages", "log_in", {})


@dataclass
class HandClock:
    """Stands still unless moved."""

    at: float = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]
    cookie: SimpleCookie

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.text)
        return "" if found is None else found[1]


@dataclass
class Browser:
    """Follows no redirect, so that they can be looked at. Other `headers` replace its own."""

    session: aiohttp.ClientSession
    port: int
    clock: HandClock = field(default_factory=HandClock)
    done: list[Mapping[str, str]] = field(default_factory=list)
    jar: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def send(self, method: str, path: str, data: Any = None, **headers: str) -> Answer:
        sent = {"Accept": "text/html", **headers}
        if self.jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        async with self.session.request(
            method, f"{self.origin}{path}", data=data, headers=sent, allow_redirects=False
        ) as response:
            for name, morsel in response.cookies.items():
                self.jar[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.jar[name]
            text = await response.text()
            return Answer(response.status, text, response.headers, response.cookies)

    async def get(self, path: str = "/", **headers: str) -> Answer:
        return await self.send("GET", path, **headers)

    async def post(self, path: str, data: Any, **headers: str) -> Answer:
        return await self.send("POST", path, data, **{"Origin": self.origin, **headers})

    async def log_in(self, key: str = ADMIN, **headers: str) -> Answer:
        return await self.post("/login", {"key": key}, **headers)


@asynccontextmanager
async def browser(*, key: str | None = ADMIN) -> AsyncIterator[Browser]:
    digest = None if key is None else hashlib.sha256(key.encode()).hexdigest()
    guard = Guard(["status.internal"], digest, service="example")
    clock = HandClock()
    done: list[Mapping[str, str]] = []
    app = internal_app(
        guard, Readiness(lambda: None, Stop()), status=lambda: {"fine": True}, metrics=lambda: b""
    )

    async def show(visit: Visit) -> Mapping[str, Any]:
        return {"problem": Problem(200, visit.request.query.get("say", "<fine>"), "all & well")}

    async def act(_visit: Visit, fields: Mapping[str, str]) -> str:
        if "refuse" in fields:
            raise Problem(503, "Away", "The <store> is away.")
        done.append(fields)
        return "<b>done</b>"

    site = Site(app, guard, BRAND, clock=clock, randomness=SystemRandomness())
    site.add_status_page("problem.html.j2", show)
    site.add_form("act", act)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        await Listeners.open([Listener(app, "127.0.0.1", 0, "internal")]) as listeners,
    ):
        yield Browser(session, listeners.port("internal"), clock, done)
