"""The proxy on a real listener: over a stand-in for the rotation, or as part of a whole service."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
from yarl import URL

from tests.token_service.fake_source import FakeSource, served
from tests.token_service.running import (
    STABLE_TOKEN,
    Running,
    WeChat,
    running,
    wechat,
    write_config,
)
from token_service.api import Api
from token_service.clients import Caller, Clients, Verb
from token_service.directory import Account, Directory
from token_service.keys import digest_of_key
from token_service.opaque import NONCE_BYTES, OpaqueTokens
from token_service.proxy.faces import Faces
from token_service.proxy.parts import Around, ProxyParts, make_parts
from token_service.proxy.settings import ProxySettings
from token_service.request_metrics import RequestTallies
from token_service.slot import Kind, Mode, Slot
from token_service.waiting import WaitingRoom
from zhongkong.emulator.world import DEFAULT_ACCOUNT
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings import Glob, PathGlob
from zhongkong.runtime.tasks import TaskOwner

APPID = DEFAULT_ACCOUNT.appid
SECRET = str(DEFAULT_ACCOUNT.secret)
BANK_APPID = "wxfedcba9876543210"
KEYS = {
    name: f"{name}-key-0123456789abcdefghijkl"
    for name in ("sdk", "menus", "bank", "reader", "real", "admin")
}


def entry(name: str, **fields: Any) -> str:
    """A client's entry, as JSON on one line."""
    return json.dumps({"name": name, "key_sha256": digest_of_key(KEYS[name]), **fields})


EVERYWHERE = ["/**"]
CLIENTS = "clients:\n" + "".join(
    f"  - {each}\n"
    for each in (
        entry("sdk", accounts=["shop"], verbs=["proxy", "login"], proxy_paths=EVERYWHERE),
        entry("menus", accounts=["shop"], verbs=["proxy"], proxy_paths=["/cgi-bin/menu/*"]),
        entry("bank", accounts=["bank"], verbs=["proxy", "login"], proxy_paths=EVERYWHERE),
        entry("reader", accounts=["*"]),
        entry(
            "real",
            accounts=["shop"],
            hand_out="real",
            verbs=["read", "proxy"],
            proxy_paths=EVERYWHERE,
        ),
        entry(
            "admin",
            accounts=["*"],
            kinds=["*"],
            verbs=["proxy", "force"],
            proxy_paths=EVERYWHERE,
        ),
    )
)
SHOP = Slot(APPID, Kind.ACCESS_TOKEN, Mode.STABLE)
REAL_TOKEN = "92_real-token-of-the-account_" + "x" * 100


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def errcode(self) -> int:
        return int(self.document.get("errcode", 0))


class Client:
    """Asks a listener, with URLs exactly as they are written."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.session = session
        self.port = port

    async def ask(self, method: str, target: str, **options: Any) -> Answer:
        url = URL(f"http://127.0.0.1:{self.port}{target}", encoded=True)
        options.setdefault("allow_redirects", False)
        if isinstance(options.get("data"), bytes) and len(options["data"]) > 1_000_000:
            options["data"] = io.BytesIO(options["data"])
        async with self.session.request(method, url, **options) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, target: str, **options: Any) -> Answer:
        return await self.ask("GET", target, **options)

    async def post(self, target: str, document: Any) -> Answer:
        return await self.ask("POST", target, data=json.dumps(document, ensure_ascii=False))

    async def native(self, client: str, method: str, target: str, **options: Any) -> Answer:
        headers = {"Authorization": f"Bearer {KEYS[client]}", **options.pop("headers", {})}
        return await self.ask(method, target, headers=headers, **options)

    async def token(self, client: str = "sdk", appid: str = APPID) -> str:
        """Fetch a token as an SDK does."""
        query = f"grant_type=client_credential&appid={appid}&secret={KEYS[client]}"
        return str((await self.get(f"/cgi-bin/token?{query}")).document["access_token"])


class Service(Client):
    """A whole service, and the WeChat behind it."""

    def __init__(self, it: Running, emulated: WeChat) -> None:
        super().__init__(it.session, it.port)
        self.running = it
        self.wechat = emulated
        self.parts: ProxyParts = it.service.faces.parts

    @property
    def token_calls(self) -> int:
        """Of the account `shop`; the other one is unknown to WeChat."""
        ledger = self.wechat.world.model.ledger
        return ledger.calls(STABLE_TOKEN, APPID) + ledger.calls("/cgi-bin/token", APPID)

    def kill(self, mode: str = "stable") -> None:
        """The real token dies at once, by nobody's call of ours."""
        console = self.wechat.world.model.console
        family: Literal["classic", "stable"] = "classic" if mode == "classic" else "stable"
        console.kill_token(APPID, self.wechat.world.time.now(), family)


@asynccontextmanager
async def service(
    folder: Path, *, extra: str = "", clients: str = CLIENTS, mode: str = "stable"
) -> AsyncIterator[Service]:
    """Accounts `shop` and `bank` (unknown to the emulator), and the clients above."""
    async with wechat() as emulated:
        path = write_config(folder, emulated.port)
        head = path.read_text().partition("clients:")[0]
        bank = f"  - {{name: bank, appid: {BANK_APPID}, secret: {{file: secret}}}}\n"
        head = head.replace("secret: {file: secret}", f"secret: {{file: secret}}, mode: {mode}")
        path.write_text(head + bank + clients + extra)
        async with running(path) as it:
            yield Service(it, emulated)


class Lone(Client):
    """The proxy alone: `source` gives the real token, `parts` are looked at from behind."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        port: int,
        parts: ProxyParts,
        source: FakeSource,
        opaque: OpaqueTokens,
    ) -> None:
        super().__init__(session, port)
        self.parts = parts
        self.source = source
        self.opaque = opaque

    def opaque_token(self) -> str:
        nonce = bytes.fromhex(SystemRandomness().token(NONCE_BYTES))
        now = self.source.now()
        return self.opaque.mint("sdk", "shop", "access_token", now=now, nonce=nonce)


def directory(**more: Any) -> Directory:
    caller = Caller(
        "sdk",
        bytes.fromhex(digest_of_key(KEYS["sdk"])),
        (Glob("shop"),),
        (Glob("*"),),
        frozenset(Verb),
        (PathGlob("/**"),),
        **more,
    )
    account = Account("shop", APPID, {SHOP.kind: SHOP}, lambda: SECRET)
    return Directory({"shop": account}, Clients([caller]))


@asynccontextmanager
async def lone(
    origins: Sequence[str], *, settings: ProxySettings | None = None, **more: Any
) -> AsyncIterator[Lone]:
    """`more` are fields of the one client."""
    clock, randomness = SystemClock(), SystemRandomness()
    source = FakeSource()
    source.live = {SHOP: served(SHOP, REAL_TOKEN)}
    opaque = OpaqueTokens(["k" * 32])
    room = WaitingRoom(10)
    async with TaskOwner(clock, randomness) as tasks, aiohttp.ClientSession() as session:
        parts = make_parts(
            source,
            directory(**more),
            opaque,
            Around(tasks, room, clock, randomness, {}),
            settings=settings or ProxySettings(timeout=5.0),
            base_urls=origins,
        )
        api = Api(
            source,
            directory(**more),
            room=room,
            tallies=RequestTallies("token_service"),
            tasks=tasks,
            clock=clock,
            faces=Faces(parts),
        )
        async with await Listeners.open([Listener(api.app, "127.0.0.1", 0, "client")]) as listeners:
            yield Lone(session, listeners.port("client"), parts, source, opaque)
        parts.close()
