"""One deployment: WeChat's account, a front, replicas of the gateway on one store, and a handler.

At its end all that the gateways printed, showed and measured is searched for secrets, for what
users wrote, and for tracebacks.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.deployment import panics
from tests.chaos.emulated import EmulatorProcess, WeChat, wechat
from tests.chaos.gateway.asking import in_time
from tests.chaos.gateway.front import Front, front
from tests.chaos.gateway.load import RATE, Load
from tests.chaos.gateway.receipts import Handler
from tests.chaos.gateway.reckoning import Reckoning, key_of, reckon
from tests.chaos.gateway.replica import Replica
from tests.chaos.patience import eventually
from tests.chaos.secrecy import spilled
from tests.fixtures.processes import Launch, spawn
from tests.fixtures.redis import free_port
from zhongkong.runtime.clock import SystemClock, SystemRandomness

CADENCE_S = 1.0
"""WeChat's own is 5 s."""
DEADLINE_S = 5.0
DELIVERED_S = 40.0

CLOCK = SystemClock()
_ACCOUNT = "shop"
_TARGET = "audit"
_SCHEDULE = ["200ms", "500ms", *["1s"] * 20]
"""Between attempts; the handler is away for about a second at a time."""
_ANSWER_S = 10.0
_TRIES = 10_000
_LOOK_EVERY_S = 0.05


class World:
    def __init__(
        self,
        folder: Path,
        platform: WeChat,
        before: Front,
        session: aiohttp.ClientSession,
        launch: Launch,
    ) -> None:
        randomness = SystemRandomness()
        self._session = session
        self._launch = launch
        self._appid, self._token = f"wx{randomness.token(8)}", randomness.token(16)
        # Of hexadecimal digits: as in WeChat's console, there are letters and digits alone.
        self._aes_key = base64.b64encode(randomness.token(16).encode()).decode().rstrip("=")
        self._signing = f"whsec_{base64.b64encode(randomness.token(16).encode()).decode()}"
        self.written = randomness.token(12)
        """How every message of a user begins."""
        self.folder = folder
        self.wechat = platform
        self.front = before
        self.handler = Handler(folder, self._signing, launch)
        self.replicas: list[Replica] = []
        for name, value in self._secrets().items():
            self._secret_file(name).write_text(value)

    def replica(
        self,
        name: str,
        store: str = "sqlite:///events.db",
        *,
        settings: Mapping[str, Any] | None = None,
        wrapper: Sequence[str] = (),
        launch: Launch | None = None,
    ) -> Replica:
        """A replica that isn't started yet; `settings` go over the ordinary ones.

        `launch`: where its processes come from, when not from where the others' do.
        """
        folder = self.folder / name
        folder.mkdir()
        config = folder / "callback_gateway.yaml"
        replica = Replica(
            config,
            free_port(),
            free_port(),
            self._session,
            wrapper=wrapper,
            process_of=launch or (spawn if wrapper else self._launch),
        )
        document = self._settings(replica) | {"store": store} | dict(settings or {})
        replica.config.write_text(json.dumps(document, indent=1))
        self.replicas.append(replica)
        return replica

    async def open(self, *, heed_readiness: bool = True) -> None:
        """Start all, and have WeChat verify the URL and send its callbacks there from now on."""
        await asyncio.gather(self.handler.start(), *(each.start() for each in self.replicas))
        self.front.heed_readiness = heed_readiness
        self.front.backends = [each.backend for each in self.replicas]
        await eventually(self._any_ready, "the front sends to somebody")
        account = {"appid": self._appid, "secret": SystemRandomness().token(16)}
        await self.wechat.control("POST", "/accounts", account)
        callback = {
            "url": f"http://127.0.0.1:{self.front.port}/callback/{_ACCOUNT}",
            "token": self._token,
            "aes_key": self._aes_key,
            "mode": "safe",
        }
        await self.wechat.control("PUT", f"/accounts/{self._appid}/callback", callback)

    def load(self, *, rate: int = RATE, **course: Any) -> Load:
        """WeChat's callbacks; `course` goes over the shortened cadence."""
        ordinary = {"cadence_s": CADENCE_S, "deadline_s": DEADLINE_S}
        return Load(self.wechat, self._appid, self.written, course=ordinary | course, rate=rate)

    async def push(self, text: str, count: int, **course: Any) -> list[str]:
        """Send so many messages at once; returns their pushes' ids."""
        ordinary = {"cadence_s": CADENCE_S, "deadline_s": DEADLINE_S}
        push = {"user": "oHasSomethingToSay", "course": ordinary | course}
        pushes = [{**push, "text": f"{text} {number}"} for number in range(count)]
        path = f"/accounts/{self._appid}/pushes?wait_s=0"
        answer = await self.wechat.control("POST", path, {"pushes": pushes, "gap_s": 0})
        return [each["id"] for each in answer["pushes"]]

    async def tries(self, push: str) -> list[dict[str, Any]]:
        answer = await self.wechat.control("GET", f"/pushes/{push}")
        tries: list[dict[str, Any]] = answer["tries"]
        return tries

    async def refused(self, after: int) -> tuple[int, int]:
        """How many tries past `after` were answered 503, and where the newest one is."""
        path = f"/callbacks?appid={self._appid}&after={after}&count={_TRIES}"
        page = await self.wechat.control("GET", path)
        return sum(each["status"] == 503 for each in page["callbacks"]), page["next"]

    async def delivered(self, load: Load, *, within_s: float = DELIVERED_S) -> Reckoning:
        """Wait until all that was answered positively is delivered; else tell what is not."""
        sent = await load.sent()
        wanted = {each.key for each in sent if each.answered}

        async def all_there() -> bool:
            return wanted <= self.handler.delivered()

        with suppress(AssertionError):  # the reckoning names what is missing
            await in_time(all_there, "everything answered is delivered", within_s=within_s)
        return reckon(sent, self.handler.done())

    async def reckoned(self, load: Load) -> Reckoning:
        """As things stand now; no push may be under way."""
        return reckon(await load.sent(), self.handler.done())

    async def deliver_one(self, text: str) -> None:
        """Send one message, and wait until it is delivered."""
        [push] = await self.push(text, 1)

        async def delivered() -> bool:
            row = (await self.wechat.control("GET", f"/pushes/{push}"))["identity"]
            return key_of(row) in self.handler.delivered()

        await in_time(delivered, "a message is delivered", every_s=_LOOK_EVERY_S)

    async def emptied(self) -> None:
        """Until nothing is left to be delivered in any store and spool."""

        async def all_empty() -> bool:
            return all([await each.is_empty() for each in self.replicas])

        await in_time(all_empty, "nothing is left to be delivered", within_s=DELIVERED_S)

    def kill(self) -> None:
        """End everything; what the gateways said stays in their folders, for who looks into it."""
        self.handler.kill()
        for replica in self.replicas:
            replica.kill()
            (replica.config.parent / "said.log").write_text(replica.everything_said())

    def judge(self) -> None:
        """After the end: what was left behind."""
        for replica in self.replicas:
            assert panics(replica.everything_said()) == []
        texts = {
            f"what {each.config.parent.name} said": each.everything_said() for each in self.replicas
        }
        assert spilled(self._secrets() | {"what users wrote": self.written}, texts) == []
        assert self.handler.forged == []

    async def _any_ready(self) -> bool:
        return any(each.ready for each in self.front.backends)

    def _secrets(self) -> dict[str, str]:
        return {"token": self._token, "aes_key": self._aes_key, "signing": self._signing}

    def _secret_file(self, name: str) -> Path:
        return self.folder / f"{name}.secret"

    def _settings(self, replica: Replica) -> dict[str, Any]:
        """YAML reads JSON too."""
        secrets = {name: {"file": str(self._secret_file(name))} for name in self._secrets()}
        account = {
            "name": _ACCOUNT,
            "appid": self._appid,
            "tokens": [secrets["token"]],
            "aes_keys": [secrets["aes_key"]],
        }
        return {
            "listen": f"127.0.0.1:{replica.port}",
            "internal_listen": f"127.0.0.1:{replica.internal_port}",
            "spool": "sqlite:///spool.db",
            "retry_every": f"{round(CADENCE_S * 1000)}ms",
            "schedule": _SCHEDULE,
            "accounts": [account],
            "targets": {_TARGET: {"url": self.handler.url, "secret": secrets["signing"]}},
            "routes": [{"match": {}, "notify": [_TARGET]}],
        }


@asynccontextmanager
async def world(folder: Path, process: EmulatorProcess, launch: Launch) -> AsyncIterator[World]:
    """Nothing runs yet but WeChat and the front. In the end nothing of it runs any more."""
    folder.mkdir(exist_ok=True)
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with (
        wechat(process) as platform,
        front() as before,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        it = World(folder, platform, before, session, launch)
        try:
            yield it
        finally:
            await asyncio.to_thread(it.kill)
        it.judge()
