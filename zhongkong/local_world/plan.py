"""PURE: the parts of the local world, where they listen, and what they need of each other.

A further service is one more `Part` here, its ports, and one more file in `configurations`; nothing
else knows how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhongkong.local_world import names

DEFAULT_BASE: Final = 8080
LARGEST_BASE: Final = 64_000
"""Above it there is no room for the ports that are counted from the base."""

HOST: Final = "127.0.0.1"

REAL_URL: Final = "https://api.weixin.qq.com"
SECRET_VARIABLE: Final = "WECHAT_SECRET"

HOPELESS: Final = frozenset({"desired files can not be used"})
"""What a part may say of its readiness that no waiting changes."""

MENU_WORKER: Final = "menu-worker"

_EMULATOR: Final = "emulator"
_OFFSETS: Final = {
    _EMULATOR: 0,
    "token service": 1,
    "token service, internal": 1001,
    "callback gateway": 2,
    "callback gateway, internal": 1002,
    "menu worker, internal": 1003,
    "trading bot": 4,
}


@dataclass(frozen=True, slots=True)
class RealWeChat:
    """The real platform, in place of the emulated one. Its AppSecret stays in the environment."""

    appid: str
    url: str = REAL_URL
    plaintext: bool = False
    """Callbacks come in clear, as those of a test account do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process. `ready_url` answers 200 when it is ready; `stop_within_s` bounds its end."""

    name: str
    module: str
    arguments: tuple[str, ...]
    ready_url: str
    stop_within_s: float
    loads: str
    """The module that takes longest to import: done while the part waits for those it needs."""
    needs: tuple[str, ...] = ()
    """Parts that are ready before this one begins."""
    variables: tuple[str, ...] = ()
    """Secret variables that it gets, and no other part."""
    may_lag: bool = False
    """Whether the world goes on without its readiness, and says so."""
    shows_stdout: bool = True
    """Whether its standard output is its log; else only its standard error is shown."""


def ports(base: int, *, emulated: bool = True) -> dict[str, int]:
    """Every port that the world listens on, by what listens there."""
    return {
        name: base + offset for name, offset in _OFFSETS.items() if emulated or name != _EMULATOR
    }


def url(base: int, listener: str) -> str:
    """The address of one listener."""
    return f"http://{HOST}:{base + _OFFSETS[listener]}"


def token_url(base: int) -> str:
    """Where the token of the world's account is read."""
    return f"{url(base, 'token service')}/v1/accounts/{names.ACCOUNT}/tokens/access_token"


def pushes_url(base: int) -> str:
    """Where the emulated WeChat is told what a user does."""
    return f"{url(base, _EMULATOR)}/_emulator/accounts/{names.APPID}/pushes?wait_s=20"


def delay_url(base: int) -> str:
    """Where the trading bot is told to answer slowly."""
    return f"{url(base, 'trading bot')}/delay"


def parts(
    base: int, folder: str, real: RealWeChat | None = None, *, has_menu: bool = True
) -> tuple[Part, ...]:
    """The processes; they end in the reverse order. Files lie in `folder`.

    `has_menu`: whether there is a desired menu, without which no menu worker is started.
    """
    return (
        *([] if real else [_emulator(base, folder)]),
        _trading_bot(base, folder),
        _token_service(base, folder, real),
        _callback_gateway(base, folder),
        *([_menu_worker(base, folder)] if has_menu else []),
    )


def _emulator(base: int, folder: str) -> Part:
    port = str(ports(base)[_EMULATOR])
    return Part(
        name="emulator",
        module="zhongkong",
        arguments=("emulator", "--port", port, "--config", f"{folder}/{names.EMULATOR_CONFIG}"),
        ready_url=f"{url(base, _EMULATOR)}/_emulator/clock",
        stop_within_s=2.5,
        loads="zhongkong.emulator.server",
        # It greets people there, with a curl line that goes around the token service.
        shows_stdout=False,
    )


def _trading_bot(base: int, folder: str) -> Part:
    port = str(ports(base)["trading bot"])
    return Part(
        name="trading-bot",
        module="zhongkong.local_world.trading_bot",
        arguments=("--port", port, "--secret-file", f"{folder}/{names.TRADING_SECRET}"),
        ready_url=f"{url(base, 'trading bot')}/healthz",
        stop_within_s=2.5,
        loads="aiohttp.web",
    )


def _token_service(base: int, folder: str, real: RealWeChat | None) -> Part:
    return Part(
        name="token-service",
        module="token_service",
        arguments=("run", "--config", f"{folder}/{names.TOKEN_SERVICE_CONFIG}"),
        ready_url=f"{url(base, 'token service, internal')}/readyz",
        stop_within_s=4.0,
        loads="token_service.app",
        needs=() if real else ("emulator",),
        variables=(SECRET_VARIABLE,) if real else (),
    )


def _callback_gateway(base: int, folder: str) -> Part:
    return Part(
        name="callback-gateway",
        module="callback_gateway",
        arguments=("run", "--config", f"{folder}/{names.CALLBACK_GATEWAY_CONFIG}"),
        ready_url=f"{url(base, 'callback gateway, internal')}/readyz",
        stop_within_s=4.0,
        loads="callback_gateway.app",
    )


def _menu_worker(base: int, folder: str) -> Part:
    return Part(
        name=MENU_WORKER,
        module="menu_worker",
        arguments=("run", "--config", f"{folder}/{names.MENU_WORKER_CONFIG}"),
        ready_url=f"{url(base, 'menu worker, internal')}/readyz",
        stop_within_s=4.0,
        loads="menu_worker.app",
        needs=("token-service",),
        may_lag=True,
    )
