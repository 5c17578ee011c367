"""Replicas of one token service before one WeChat: configuration, keys, and the end of it all.

At the end of every test all that its processes printed, showed and measured is searched for
credentials and for tracebacks.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.emulated import EmulatorProcess, WeChat, wechat
from tests.chaos.replica import Replica
from tests.chaos.secrecy import spilled
from tests.fixtures.processes import Launch
from tests.fixtures.redis import free_port
from token_service.keys import digest_of_key
from zhongkong.runtime.clock import SystemRandomness

_PANICS = ("Traceback (most recent call last)", '_crashed"', '"task_failed"', '"level":"critical"')
_OPAQUE_KEY = "OPAQUE_TOKEN_KEY"
_VERBS = ["read", "report", "force"]


@dataclass(frozen=True)
class Account:
    name: str
    appid: str
    secret: str = field(repr=False)
    mode: str = "stable"


class Deployment:
    def __init__(
        self, folder: Path, platform: WeChat, session: aiohttp.ClientSession, launch: Launch
    ) -> None:
        randomness = SystemRandomness()
        self._folder = folder
        self._session = session
        self._launch = launch
        self._randomness = randomness
        self.wechat = platform
        self.accounts: list[Account] = []
        self.replicas: list[Replica] = []
        self.client_key = randomness.token(16)
        self.admin_key = randomness.token(16)
        self.further_secrets: dict[str, str] = {}
        self._opaque_key = self.new_key("the key of opaque tokens")

    async def account(self, name: str, mode: str = "stable", **facts: Any) -> Account:
        """A new account at WeChat and its secret in a file; `facts` as the emulator takes them."""
        appid, secret = f"wx{self._randomness.token(8)}", self._randomness.token(16)
        account = Account(name, appid, secret, mode)
        await self.wechat.control("POST", "/accounts", {"appid": appid, "secret": secret, **facts})
        self.secret_file(account).parent.mkdir(exist_ok=True)
        self.secret_file(account).write_text(secret)
        self.accounts.append(account)
        return account

    def secret_file(self, account: Account) -> Path:
        return self._folder / "secrets" / account.name

    def new_key(self, what: str) -> str:
        """A key that may never be seen anywhere."""
        self.further_secrets[what] = key = self._randomness.token(20)
        return key

    def replica(
        self,
        name: str,
        *,
        store: str = "sqlite:///tokens.db",
        base_url: str | None = None,
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        launch: Launch | None = None,
    ) -> Replica:
        """A replica that isn't started yet; `settings` go over the ordinary ones.

        `launch`: where its processes come from, when not from where the others' do.
        """
        folder = self._folder / name
        folder.mkdir()
        replica = Replica(
            folder / "token_service.yaml",
            free_port(),
            free_port(),
            self.client_key,
            self.admin_key,
            self._session,
            launch or self._launch,
            {_OPAQUE_KEY: self._opaque_key, **(environ or {})},
        )
        url = base_url or self.wechat.process.url
        self.configure(
            replica, {"store": store, "wechat": {"base_urls": [url]}, **(settings or {})}
        )
        self.replicas.append(replica)
        return replica

    def configure(self, replica: Replica, settings: Mapping[str, Any]) -> None:
        """Write its configuration; YAML reads JSON too.

        An empty Redis is left to others for a shorter time than by default, for there are none.
        """
        client = {"name": "orders", "key_sha256": digest_of_key(self.client_key)}
        document = {
            "listen": f"127.0.0.1:{replica.port}",
            "internal_listen": f"127.0.0.1:{replica.internal_port}",
            "admin_key_sha256": digest_of_key(self.admin_key),
            "opaque_token_keys": [{"env": _OPAQUE_KEY}],
            "rotation": {"reseed_grace": "300ms"},
            "accounts": [self._entry(account) for account in self.accounts],
            "clients": [{**client, "accounts": ["*"], "verbs": _VERBS}],
            **settings,
        }
        replica.config.write_text(json.dumps(document, indent=1))

    def excused(self, account: Account) -> int:
        """How many calls beyond need may be made for this account.

        A replica for which the store is away may ask for a stable token alone: WeChat gives it the
        same one. To a machine that stands still for two seconds any store is away.
        """
        losses = [replica.everything_said().count('"store_lost"') for replica in self.replicas]
        return sum(losses) if account.mode == "stable" else 0

    async def close(self) -> None:
        """End everything at once, then look at what was left behind."""
        for replica in self.replicas:
            replica.kill()
        assert await self.spilled() == []
        for replica in self.replicas:
            assert panics(replica.everything_said()) == []

    async def spilled(self) -> list[str]:
        """Which credential stands where it should not; empty when none does."""
        texts = {
            f"what {replica.config.parent.name} said": replica.everything_said()
            for replica in self.replicas
        }
        texts["the emulator's log"] = self.wechat.process.child.output
        return spilled(await self.credentials(), texts)

    async def credentials(self) -> dict[str, str]:
        """All that must stay secret, by what it is."""
        found = {"the client key": self.client_key, "the admin key": self.admin_key}
        found.update(self.further_secrets)
        for account in self.accounts:
            found[f"the secret of {account.name}"] = account.secret
            for number, value in enumerate(await self.wechat.issued(account.appid), 1):
                found[f"token {number} of {account.name}"] = value
        return found

    def _entry(self, account: Account) -> dict[str, Any]:
        return {
            "name": account.name,
            "appid": account.appid,
            "secret": {"file": str(self.secret_file(account))},
            "mode": account.mode,
        }


def panics(said: str) -> list[str]:
    """The lines that tell of a defect of ours."""
    return [line for line in said.splitlines() if any(panic in line for panic in _PANICS)]


@asynccontextmanager
async def deployed(
    folder: Path, process: EmulatorProcess, launch: Launch
) -> AsyncIterator[Deployment]:
    """Nothing runs yet but WeChat. In the end nothing of it runs any more."""
    connector = aiohttp.TCPConnector(limit=0)
    async with wechat(process) as platform, aiohttp.ClientSession(connector=connector) as session:
        deployment = Deployment(folder, platform, session, launch)
        try:
            yield deployment
        finally:
            for replica in deployment.replicas:
                replica.kill()
        await deployment.close()
