"""Clients of every sort behind one load balancer, calling all the time, and what they met.

Each sort once on connections that it keeps and once on a new one for every call. A connection that
is refused is the balancer's to hide, everything else is an error that somebody saw.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.deployment import Account
from tests.chaos.gateway.front import Backend, Front
from tests.chaos.patience import eventually
from tests.chaos.replica import Replica

CLIENT: dict[str, Any] = {
    "name": "orders",
    "accounts": ["*"],
    "verbs": ["read", "report", "force", "proxy"],
    "proxy_paths": ["/cgi-bin/**"],
}
"""The client that calls, as configured; its key's digest is the deployment's."""

_PAUSE_S = 0.02
_HARMLESS_CALL = "/cgi-bin/get_api_domain_ip"


def backend(replica: Replica) -> Backend:
    async def is_ready() -> bool:
        url = f"http://127.0.0.1:{replica.internal_port}/readyz"
        try:
            async with replica.session.get(url) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    return Backend(replica.port, is_ready)


async def sdk_token(replica: Replica, account: Account) -> str:
    """The opaque token that an SDK gets."""
    query = {
        "grant_type": "client_credential",
        "appid": account.appid,
        "secret": replica.client_key,
    }
    url = f"http://127.0.0.1:{replica.port}/cgi-bin/token"
    async with replica.session.get(url, params=query) as response:
        document = await response.json(content_type=None)
    return str(document["access_token"])


@dataclass
class Callers:
    """`errors` says who met what; `versions` are those of the tokens handed out, by account."""

    port: int
    client_key: str = field(repr=False)
    opaque: dict[str, str] = field(repr=False)
    """SDK's tokens by account, got before."""
    errors: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    versions: dict[str, set[str]] = field(default_factory=dict)

    async def go_on(self, times: int = 8) -> None:
        """Until every caller was answered so many times more."""
        mark = self.answers.copy()
        callers = {f"{what} {name}" for what in self._sorts() for name in self.opaque}

        async def enough() -> bool:
            found = [self.answers[f"{each}{how}"] - mark[f"{each}{how}"] for each in callers
                     for how in (" kept", " new")]  # fmt: skip
            return min(found) >= times or bool(self.errors)

        await eventually(enough, f"every caller was answered {times} times more")

    async def call_on(self, session: aiohttp.ClientSession, how: str, what: str, name: str) -> None:
        request = self._sorts()[what]
        while True:
            path, headers = request(name)
            try:
                async with session.get(
                    f"http://127.0.0.1:{self.port}{path}", headers=headers
                ) as response:
                    self._note(
                        f"{what} {name}{how}", name, response.status, await _document(response)
                    )
            except (aiohttp.ClientError, TimeoutError) as error:
                self.errors.append(f"{what} {name}{how}: {type(error).__name__}")
            await asyncio.sleep(_PAUSE_S)

    def _note(self, who: str, account: str, status: int, document: dict[str, Any]) -> None:
        if status != 200 or document.get("errcode"):
            said = document.get("detail") or document.get("errmsg")
            self.errors.append(f"{who}: {status} {document.get('errcode')} {said}")
            return
        self.answers[who] += 1
        if "version" in document:
            self.versions.setdefault(account, set()).add(document["version"])

    def _sorts(self) -> dict[str, Callable[[str], tuple[str, dict[str, str]]]]:
        bearer = {"Authorization": f"Bearer {self.client_key}"}
        return {
            "native": lambda name: (f"/v1/accounts/{name}/tokens/access_token", bearer),
            "proxied": lambda name: (f"/v1/accounts/{name}/wechat{_HARMLESS_CALL}", bearer),
            "sdk": lambda name: (f"{_HARMLESS_CALL}?access_token={self.opaque[name]}", {}),
        }

    @property
    def sorts(self) -> Sequence[str]:
        return list(self._sorts())


@asynccontextmanager
async def calling(front: Front, client_key: str, opaque: dict[str, str]) -> AsyncIterator[Callers]:
    """Each caller has a session of its own: a pool would hand it another's old connections."""
    callers = Callers(front.port, client_key, opaque)
    async with AsyncExitStack() as stack:
        tasks = []
        for how in (" kept", " new"):
            for what, name in itertools.product(callers.sorts, opaque):
                connector = aiohttp.TCPConnector(force_close=how == " new")
                session = await stack.enter_async_context(
                    aiohttp.ClientSession(connector=connector)
                )
                tasks.append(asyncio.create_task(callers.call_on(session, how, what, name)))
        try:
            await callers.go_on(1)
            yield callers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _document(response: aiohttp.ClientResponse) -> dict[str, Any]:
    document: dict[str, Any] = await response.json(content_type=None)
    return document
