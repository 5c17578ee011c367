"""A token service with an emulated WeChat behind it, as a company sets it up for its SDKs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.fixtures.redis import free_port
from tests.token_service.running import Running, running
from token_service.keys import digest_of_key
from token_service.slot import Kind, Mode, Slot
from zhongkong.emulator import world as emulated
from zhongkong.emulator.account import AccountKind, EmulatedAccount
from zhongkong.emulator.ledger import Ledger
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.server import make_app
from zhongkong.emulator.users import EmulatedUser
from zhongkong.runtime.clock import SystemClock
from zhongkong.runtime.listeners import Listener, Listeners

OPENID = "oABCD1234567890abcdefghijklm"
SHOP = EmulatedAccount(
    appid="wx0123456789abcdef",
    secret="0123456789abcdef0123456789abcdef",
    users=(EmulatedUser(openid=OPENID, nickname="小明", unionid="u-1"),),
)
BANK = EmulatedAccount(appid="wxfedcba9876543210", secret="fedcba9876543210fedcba9876543210")
GAME = EmulatedAccount(
    appid="wx00112233445566",
    secret="00112233445566778899aabbccddeeff",
    kind=AccountKind.MINI_PROGRAM,
    users=(EmulatedUser(openid=OPENID, unionid="u-1"),),
)
# Of WeChat's content types the two that every SDK reads: now and then it sends none at all.
TWO_CONTENT_TYPES = ("application/json; encoding=utf-8", "text/plain")
KEYS = {name: f"{name}-key-0123456789abcdefghijklmn" for name in ("orders", "menus", "pods")}
TOKEN_PATHS = {"stable": "/cgi-bin/stable_token", "classic": "/cgi-bin/token"}
PROBE_PATH = "/cgi-bin/get_api_domain_ip"

_CONFIG = """\
listen: 127.0.0.1:{port}
internal_listen: 127.0.0.1:{internal_port}
store: sqlite:///tokens.db
wechat: {{base_urls: ["http://127.0.0.1:{wechat_port}"]}}
grace: 2s
accounts:
  - {{name: shop, appid: {shop.appid}, secret: {{file: shop.secret}}, mode: {mode}}}
  - {{name: bank, appid: {bank.appid}, secret: {{file: bank.secret}}, mode: {mode}}}
  - {{name: game, appid: {game.appid}, secret: {{file: game.secret}}, mode: {mode}}}
clients:
  - name: orders
    key_sha256: {orders}
    accounts: [shop, game]
    verbs: [read, proxy, login]
    proxy_paths: ["/cgi-bin/**"]
  - name: menus
    key_sha256: {menus}
    accounts: [shop, game]
    verbs: [proxy]
    proxy_paths: ["/cgi-bin/menu/*"]
  - name: pods
    key_sha256: {pods}
    accounts: [shop]
    verbs: [read]
    hand_out: real
"""


class LeapingClock(SystemClock):
    """The machine's clock, which a test may put forward. Waits under way aren't cut short."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self._ahead_s

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead_s

    def leap(self, seconds: float) -> None:
        self._ahead_s += seconds


@dataclass
class World:
    wechat: emulated.World
    service: Running
    clock: LeapingClock
    mode: Mode
    session: aiohttp.ClientSession = field(repr=False)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    @property
    def ledger(self) -> Ledger:
        return self.wechat.model.ledger

    @property
    def token_calls(self) -> int:
        """Requests for a token of the shop that reached WeChat, forced ones included."""
        return sum(self.ledger.calls(path, SHOP.appid) for path in TOKEN_PATHS.values())

    @property
    def mints(self) -> int:
        """Tokens that WeChat made for this service, on whatever path."""
        return self.ledger.mints(SHOP.appid, by="client") + self.ledger.mints(
            SHOP.appid, by="forced"
        )

    @property
    def now(self) -> float:
        return self.wechat.time.now()

    def kill(self) -> None:
        """The real token dies at once: by itself, or by a colleague's forced refresh."""
        console = self.wechat.model.console
        if self.mode is Mode.CLASSIC:
            assert console.kill_token(SHOP.appid, self.now, "classic")
        else:
            console.foreign_refresh(SHOP.appid, self.now, "stable_forced", spends=False)

    def user_writes(self) -> None:
        """The user gives a new credit of custom-service messages."""
        self.wechat.model.console.interaction(SHOP.appid, OPENID, "message", self.now)

    async def call(
        self,
        path: str,
        params: Mapping[str, str],
        session: aiohttp.ClientSession | None = None,
    ) -> dict[str, Any]:
        """A GET as any HTTP library makes it; WeChat's answer or one in its shape."""
        asker = session or self.session
        async with asker.get(self.base_url + path, params=params) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    async def ask_for_token(
        self, client: str, appid: str = SHOP.appid, session: aiohttp.ClientSession | None = None
    ) -> dict[str, Any]:
        """What an SDK does first."""
        params = {"grant_type": "client_credential", "appid": appid, "secret": KEYS[client]}
        return await self.call("/cgi-bin/token", params, session)

    async def token_of(self, client: str) -> str:
        return str((await self.ask_for_token(client))["access_token"])


@asynccontextmanager
async def world(
    folder: Path,
    *,
    mode: Mode = Mode.STABLE,
    content_types: Sequence[str | None] = TWO_CONTENT_TYPES,
    tokens_lost_on_kill: bool = True,
) -> AsyncIterator[World]:
    """WeChat drops a replaced token at once, unlike the real one, which gives it 5 minutes."""
    clock = LeapingClock()
    parameters = Parameters(
        overlap_s=0,
        forced_old_token="dies_at_once",
        content_types=tuple(content_types),
        tokens_lost_on_kill=tokens_lost_on_kill,
        daily_limits={"/cgi-bin/menu/create": 100_000},
    )
    setup = emulated.Setup(accounts=(SHOP, BANK, GAME), parameters=parameters)
    wechat = emulated.World(setup, clock, seed=1)
    listener = Listener(make_app(wechat), "127.0.0.1", 0, "emulator")
    async with (
        await Listeners.open([listener]) as listeners,
        running(_config(folder, mode, listeners.port("emulator")), clock) as service,
        aiohttp.ClientSession() as session,
    ):
        await service.service.rotator.get(Slot(SHOP.appid, Kind.ACCESS_TOKEN, mode), wait_s=5.0)
        yield World(wechat, service, clock, mode, session)


def _config(folder: Path, mode: str, wechat_port: int) -> Path:
    path = folder / "token_service.yaml"
    for name, account in (("shop", SHOP), ("bank", BANK), ("game", GAME)):
        (folder / f"{name}.secret").write_text(account.secret)
    path.write_text(
        _CONFIG.format(
            port=free_port(),
            internal_port=free_port(),
            wechat_port=wechat_port,
            mode=mode,
            shop=SHOP,
            bank=BANK,
            game=GAME,
            **{name: digest_of_key(key) for name, key in KEYS.items()},
        )
    )
    return path
