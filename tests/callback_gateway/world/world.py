"""WeChat, gateways and handlers as processes, and the end of it all.

At the end of every world all that its gateways printed and showed is searched for credentials, for
what users wrote, and for tracebacks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.callback_gateway.world.gateway import ADMIN_KEY, Gateway
from tests.callback_gateway.world.handlers import SIGNING_SECRET, Call, HandlerProcess
from tests.chaos.deployment import panics
from tests.chaos.emulated import EmulatorProcess, WeChat
from tests.chaos.secrecy import spilled
from tests.fixtures.processes import Launch
from zhongkong.runtime.clock import SystemRandomness

PRIVATE = "只给掌柜看的话，别人不该看到"
"""What users write, in part or whole: it must stand in no log, no metric and no status."""
_LETTERS = 43


@dataclass(frozen=True)
class Account:
    appid: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    original_id: str = "gh_0123456789ab"

    def settings(self, name: str = "shop", mode: str = "safe") -> dict[str, Any]:
        """Its entry in a gateway's configuration; the secrets are in the environment."""
        return {
            "name": name,
            "appid": self.appid,
            "original_id": self.original_id,
            "tokens": [{"env": "SHOP_TOKEN"}],
            "aes_keys": [{"env": "SHOP_AES_KEY"}],
            "mode": mode,
        }

    def environ(self) -> dict[str, str]:
        return {
            "SHOP_TOKEN": self.token,
            "SHOP_AES_KEY": self.aes_key,
            "TARGET_SECRET": SIGNING_SECRET,
        }


@dataclass
class World:
    folder: Path
    wechat: WeChat
    handler: HandlerProcess
    session: aiohttp.ClientSession = field(repr=False)
    account: Account
    launch: Launch = field(repr=False)
    mode: str = "safe"
    gateways: list[Gateway] = field(default_factory=list)

    def gateway(self, name: str, settings: Mapping[str, Any]) -> Gateway:
        """A gateway that isn't started yet, for this world's account."""
        folder = self.folder / name
        folder.mkdir()
        config = folder / "callback_gateway.yaml"
        gateway = Gateway(config, self.session, self.account.environ(), self.launch)
        gateway.configure({"accounts": [self.account.settings(mode=self.mode)], **settings})
        self.gateways.append(gateway)
        return gateway

    async def call_back(self, url: str) -> None:
        """Have WeChat send the account's callbacks there, once it has verified the URL."""
        settings = {
            "url": url,
            "token": self.account.token,
            "aes_key": self.account.aes_key,
            "mode": self.mode,
        }
        await self.wechat.control("PUT", f"/accounts/{self.account.appid}/callback", settings)

    async def push(self, push: Mapping[str, Any], *, wait_s: float = 30.0) -> dict[str, Any]:
        """One push, to its end."""
        (shown,) = await self.pushes([push], wait_s=wait_s)
        return shown

    async def pushes(
        self, pushes: Sequence[Mapping[str, Any]], *, wait_s: float = 30.0, **how: Any
    ) -> list[dict[str, Any]]:
        """Pushes of one call, to their end; `how` as the emulator takes it."""
        path = f"/accounts/{self.account.appid}/pushes?wait_s={wait_s:g}"
        answer = await self.wechat.control("POST", path, {"pushes": pushes, **how})
        shown: list[dict[str, Any]] = answer["pushes"]
        return shown

    async def feed(self, user: str) -> list[tuple[str, str]]:
        """What a user sees but for what they sent: kind and text."""
        path = f"/accounts/{self.account.appid}/users/{user}/feed"
        entries = (await self.wechat.control("GET", path))["entries"]
        return [
            (entry["kind"], entry["content"].get("content", ""))
            for entry in entries
            if entry["kind"] != "sent"
        ]

    async def calls(self, name: str) -> list[Call]:
        return await self.handler.calls(self.session, name)

    def target(self, name: str, **behaviour: object) -> dict[str, Any]:
        """A target's settings: a path of this world's handler."""
        return target(self.handler.url(name, **behaviour))

    def left_behind(self) -> list[str]:
        """What should not stand where gateways printed or showed it; empty when all is well."""
        secrets = {
            "the token": self.account.token,
            "the AES key": self.account.aes_key,
            "the admin key": ADMIN_KEY,
            "a signing secret": SIGNING_SECRET,
        }
        texts = {
            f"what {one.config.parent.name} said": one.everything_said() for one in self.gateways
        }
        wrote = [
            f"{where} holds what a user wrote" for where, text in texts.items() if PRIVATE in text
        ]
        return [
            *spilled(secrets, texts),
            *wrote,
            *(line for text in texts.values() for line in panics(text)),
        ]


def target(url: str, **settings: Any) -> dict[str, Any]:
    return {"url": url, "secret": {"env": "TARGET_SECRET"}, **settings}


@asynccontextmanager
async def world(
    folder: Path,
    emulator: EmulatorProcess,
    handler: HandlerProcess,
    launch: Launch,
    *,
    mode: str = "safe",
) -> AsyncIterator[World]:
    """WeChat with an account of its own, and a handler; gateways are made by the test."""
    randomness = SystemRandomness()
    account = Account(
        appid=f"wx{randomness.token(8)}",
        token=randomness.token(16),
        aes_key=randomness.token(_LETTERS)[:_LETTERS],
    )
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        it = World(folder, WeChat(emulator, session), handler, session, account, launch, mode)
        facts = {
            "appid": account.appid,
            "secret": randomness.token(16),
            "original_id": account.original_id,
        }
        await it.wechat.control("POST", "/accounts", facts)
        try:
            yield it
        finally:
            for gateway in it.gateways:
                gateway.kill()
    assert it.left_behind() == []
