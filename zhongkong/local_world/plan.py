"""PURE: the parts of the local world, where they listen, and the files they are configured by.

A further service is one more `Part` here and one more file; nothing else knows how many there are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BASE: Final = 8080
LARGEST_BASE: Final = 64_000
"""Above it there is no room for the ports that are counted from the base."""

HOST: Final = "127.0.0.1"
ACCOUNT: Final = "shop"
CLIENT: Final = "orders"

APPID: Final = "wx0123456789abcdef"
ORIGINAL_ID: Final = "gh_0123456789ab"
USER: Final = "oLocalWorldUser0000000000001"
ORDERS_KEY: Final = "orders.key"
ADMIN_KEY: Final = "admin.key"
APP_SECRET: Final = "shop.secret"
CALLBACK_TOKEN: Final = "callback.token"
CALLBACK_AES_KEY: Final = "callback.aes_key"
KEPT: Final[Mapping[str, int]] = MappingProxyType(
    {ORDERS_KEY: 32, ADMIN_KEY: 32, APP_SECRET: 32, CALLBACK_TOKEN: 32, CALLBACK_AES_KEY: 43}
)
"""Secrets that are made once and stay the same from run to run, with their length."""

STORE: Final = "token_service.db"
INBOX: Final = "callback_gateway.db"
EMULATOR_CONFIG: Final = "emulator.yaml"
TOKEN_SERVICE_CONFIG: Final = "token_service.yaml"
CALLBACK_GATEWAY_CONFIG: Final = "callback_gateway.yaml"

_OFFSETS: Final = {
    "emulator": 0,
    "token service": 1,
    "token service, internal": 1001,
    "callback gateway": 2,
    "callback gateway, internal": 1002,
}
_HEADER: Final = (
    "# Written by `zhongkong up` at each start; what you change here is lost.\n"
    "# Copy it to begin a file of your own.\n"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One process. `ready_url` answers 200 when it is ready; `stop_within_s` bounds its end."""

    name: str
    module: str
    arguments: tuple[str, ...]
    ready_url: str
    stop_within_s: float
    shows_stdout: bool = True
    """Whether its standard output is its log; else only its standard error is shown."""


def ports(base: int) -> dict[str, int]:
    """Every port that the world listens on, by what listens there."""
    return {name: base + offset for name, offset in _OFFSETS.items()}


def url(base: int, listener: str) -> str:
    """The address of one listener."""
    return f"http://{HOST}:{ports(base)[listener]}"


def token_url(base: int) -> str:
    """Where the token of the world's account is read."""
    return f"{url(base, 'token service')}/v1/accounts/{ACCOUNT}/tokens/access_token"


def status_url(base: int) -> str:
    """Where an operator reads how the token service is."""
    return f"{url(base, 'token service, internal')}/v1/status"


def pushes_url(base: int) -> str:
    """Where the emulated WeChat is told what a user sends."""
    return f"{url(base, 'emulator')}/_emulator/accounts/{APPID}/pushes?wait_s=20"


def parts(base: int, folder: str) -> tuple[Part, ...]:
    """The processes in the order of their start. Configuration files lie in `folder`."""
    emulator = Part(
        name="emulator",
        module="zhongkong",
        arguments=(
            *("emulator", "--port", str(ports(base)["emulator"])),
            *("--config", f"{folder}/{EMULATOR_CONFIG}"),
        ),
        ready_url=f"{url(base, 'emulator')}/_emulator/clock",
        stop_within_s=2.5,
        # It greets people there, with a curl line that goes around the token service.
        shows_stdout=False,
    )
    token_service = Part(
        name="token-service",
        module="token_service",
        arguments=("run", "--config", f"{folder}/{TOKEN_SERVICE_CONFIG}"),
        ready_url=f"{url(base, 'token service, internal')}/readyz",
        stop_within_s=4.0,
    )
    callback_gateway = Part(
        name="callback-gateway",
        module="callback_gateway",
        arguments=("run", "--config", f"{folder}/{CALLBACK_GATEWAY_CONFIG}"),
        ready_url=f"{url(base, 'callback gateway, internal')}/readyz",
        stop_within_s=4.0,
    )
    return (emulator, token_service, callback_gateway)


def files(base: int, secrets: dict[str, str]) -> dict[str, str]:
    """The texts of the configuration files by name. `secrets` holds those of KEPT."""
    return {
        EMULATOR_CONFIG: _emulator_config(base, secrets),
        TOKEN_SERVICE_CONFIG: _token_service_config(base, secrets),
        CALLBACK_GATEWAY_CONFIG: _callback_gateway_config(base, secrets),
    }


def _emulator_config(base: int, secrets: dict[str, str]) -> str:
    return f"""{_HEADER}
accounts:
  - appid: {APPID}
    secret: "{secrets[APP_SECRET]}"
    original_id: {ORIGINAL_ID}
    callback:
      url: {url(base, "callback gateway")}/callback/{ACCOUNT}
      token: "{secrets[CALLBACK_TOKEN]}"
      aes_key: "{secrets[CALLBACK_AES_KEY]}"
      mode: safe
"""


def _token_service_config(base: int, secrets: dict[str, str]) -> str:
    return f"""{_HEADER}
listen: {HOST}:{ports(base)["token service"]}
internal_listen: {HOST}:{ports(base)["token service, internal"]}
store: sqlite:///{STORE}
admin_key_sha256: "{_digest(secrets[ADMIN_KEY])}"  # of {ADMIN_KEY}
grace: 3s

wechat:
  base_urls: ["{url(base, "emulator")}"]

accounts:
  - name: {ACCOUNT}
    appid: {APPID}
    secret: {{file: {APP_SECRET}}}

clients:
  - name: {CLIENT}
    key_sha256: "{_digest(secrets[ORDERS_KEY])}"  # of {ORDERS_KEY}
    accounts: [{ACCOUNT}]
    verbs: [read, report, force, proxy, login]
    proxy_paths: ["/cgi-bin/**"]
"""


def _callback_gateway_config(base: int, secrets: dict[str, str]) -> str:
    return f"""{_HEADER}
listen: {HOST}:{ports(base)["callback gateway"]}
internal_listen: {HOST}:{ports(base)["callback gateway, internal"]}
store: sqlite:///{INBOX}
admin_key_sha256: "{_digest(secrets[ADMIN_KEY])}"  # of {ADMIN_KEY}
grace: 3s
drain: 0s  # nobody here looks at readiness before sending

accounts:
  - name: {ACCOUNT}
    appid: {APPID}
    original_id: {ORIGINAL_ID}
    tokens: [{{file: {CALLBACK_TOKEN}}}]
    aes_keys: [{{file: {CALLBACK_AES_KEY}}}]
    mode: safe

routes:
  - match: {{type: event, event: subscribe}}
    reply: {{type: text, content: 欢迎关注，回复 help 看看我会什么}}
  - match: {{type: text, content: "/^(help|帮助)$/i"}}
    reply: {{type: text, content: 您好，这是一条静态回复}}
"""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
